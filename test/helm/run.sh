#!/bin/sh
# Lints the Helm chart, renders it for each file of deploy/helm/values, compares that with deploy/helm/rendered (which `npm test`
# checks against the schemas of Kubernetes and of our settings), and has it refuse what cannot work.
#
#   sh test/helm/run.sh [--write]     --write puts what is rendered there instead
#
# Uses the helm on the PATH, else builds one where Go is.
set -eu
cd "$(dirname "$0")/../.."
chart=deploy/helm/tandem
kubernetes=1.37.0
version=3.22.0

helm=$(command -v helm || true)
if [ -z "$helm" ]; then
  cache=${XDG_CACHE_HOME:-$HOME/.cache}/tandem-tools/helm-$version
  helm=$cache/helm
  if [ ! -x "$helm" ]; then
    command -v go >/dev/null || {
      echo 'Please install helm (https://helm.sh/docs/intro/install/), or Go to build it with' >&2
      exit 1
    }
    echo "No helm on the PATH: building $version, which takes some minutes once"
    mkdir -p "$cache"
    (cd "$cache" && GOBIN=$cache CGO_ENABLED=0 go install -ldflags='-s -w' "helm.sh/helm/v3/cmd/helm@v$version")
  fi
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Nobody's configuration or plugins.
export HELM_CONFIG_HOME="$scratch/config" HELM_CACHE_HOME="$scratch/cache" HELM_DATA_HOME="$scratch/data"
failed=0
fail() {
  echo "FAILED: $1" >&2
  failed=1
}

# The notes are shown by an installation alone, so in a copy of the chart they are made a manifest.
cp -R "$chart" "$scratch/chart"
{ echo '{{ define "notes" }}'; cat "$chart/templates/NOTES.txt"; echo '{{ end }}'; } >"$scratch/chart/templates/_notes.tpl"
echo 'notes: |{{ include "notes" . | nindent 2 }}' >"$scratch/chart/templates/shown.yaml"

for values in deploy/helm/values/*.yaml; do
  name=$(basename "$values" .yaml)
  "$helm" lint --strict --kube-version $kubernetes "$chart" -f "$values" >"$scratch/lint" || { cat "$scratch/lint"; fail "lint with $values"; }
  "$helm" template tandem "$chart" --namespace devices --kube-version $kubernetes -f "$values" >"$scratch/$name.yaml" || {
    fail "template with $values"
    continue
  }
  if [ "${1:-}" = --write ]; then cp "$scratch/$name.yaml" "deploy/helm/rendered/$name.yaml"; fi
  diff -u "deploy/helm/rendered/$name.yaml" "$scratch/$name.yaml" || fail "deploy/helm/rendered/$name.yaml is stale: sh test/helm/run.sh --write"
  "$helm" template tandem "$scratch/chart" --namespace devices --kube-version $kubernetes -f "$values" --show-only templates/shown.yaml >"$scratch/notes" || fail "notes with $values"
  for part in 'kubectl -n devices rollout status' "$(grep -q '^existingSecret' "$values" && echo 'get secret tandem ' || echo 'cat /data/tandem/initial-admin-password')"; do
    grep -qF "$part" "$scratch/notes" || { cat "$scratch/notes"; fail "the notes with $values do not say: $part"; }
  done
done
for rendered in deploy/helm/rendered/*.yaml; do
  [ -e "deploy/helm/values/$(basename "$rendered")" ] || fail "$rendered has no values any more"
done

# What is wrong, and what is said about it.
refuses() {
  said=$1
  shift
  if "$helm" template tandem "$chart" --kube-version $kubernetes "$@" >"$scratch/refused" 2>&1; then
    fail "not refused: $*"
  else
    tr '\n' ' ' <"$scratch/refused" | grep -qF -- "$said" || { cat "$scratch/refused"; fail "$* does not say: $said"; }
  fi
}
processes='--set mode=processes --set existingSecret=tandem'
refuses 'kubectl create secret generic tandem --from-literal=REDIS_URL' --set mode=processes
# shellcheck disable=SC2086 # words
refuses 'roles.api.enabled must be true' $processes --set roles.api.enabled=false
# shellcheck disable=SC2086
refuses 'name a secret of the type kubernetes.io/tls in tls.coaps' $processes --set roles.coaps.enabled=true
# shellcheck disable=SC2086
refuses 'no device would find it' $processes --set roles.coap.service.type=None
# shellcheck disable=SC2086
refuses 'roles.http.settings.HTTP_BIND_PORT: the chart sets that itself' $processes --set roles.http.settings.HTTP_BIND_PORT=80
refuses 'settings.TANDEM_ADMIN_PASSWORD: the chart sets that itself' --set settings.TANDEM_ADMIN_PASSWORD=x
refuses 'ingress.enabled needs names' --set ingress.enabled=true
refuses 'exclude each other' --set ingress.enabled=true --set 'ingress.hosts={a.example}' --set tls.http=a
refuses "value must be one of 'single', 'processes'" --set mode=cluster
refuses "additional properties 'replicas' not allowed" --set replicas=3
refuses 'affinitySeconds' --set roles.coap.service.affinitySeconds=86401

# The commands of the guide, which ask for a cluster: here what they would install is rendered. A secret is made by nobody.
awk '$0 == "```sh helm" { on = 1; next } /^```/ { on = 0 } on' docs/guides/kubernetes.md >"$scratch/guide"
grep -q . "$scratch/guide" || fail 'docs/guides/kubernetes.md has no blocks of helm'
(
  kubectl() { [ "$1 $2 $3" = 'create secret generic' ] || exit 1; }
  helm() {
    shift
    words=
    for word in "$@"; do [ "$word" = --reuse-values ] || words="$words $word"; done
    # shellcheck disable=SC2086 # words
    "$helm" template --kube-version $kubernetes $words >/dev/null || exit 1
  }
  . "$scratch/guide"
) || fail 'the commands of docs/guides/kubernetes.md'

[ $failed = 0 ] && echo 'The chart lints, renders as it is kept, and refuses what cannot work'
exit $failed
