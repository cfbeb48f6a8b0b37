# What the runs of test:compose share: sourced by run.sh, in the folder of the repository, with $scratch made.
# shellcheck shell=sh

say() { echo "test:compose: $1"; }

fail() {
  echo "test:compose: $1" >&2
  docker compose --profile '*' ps --all >&2 || true
  docker compose --profile '*' logs --tail 15 >&2 || true
  exit 1
}

# check <what it shows> <file> <fixed text that must be in it>
check() {
  grep -qF -- "$3" "$2" || fail "$1: expected '$3', got: $(cat "$2")"
  echo "ok - $1"
}

# equal <what it shows> <expected> <got>
equal() {
  [ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"
  echo "ok - $1"
}

# until_ok <seconds> <what is awaited> <command...>
until_ok() {
  deadline=$(($(date +%s) + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ "$(date +%s)" -lt "$deadline" ] || fail "$what did not happen in time"
    sleep 0.1
  done
}

printed() { grep -qF -- "$2" "$1"; }
# metric <port> <name> <value>: one row of it, whatever its labels
metric() { curl -s "localhost:$1/metrics" | grep -Eq "^$2(\{[^}]*\})? $3\$"; }
of() { docker inspect --format "$2" "$(docker compose ps --all --quiet "$1")"; }
in_service() { docker compose exec -T "$@"; }
bring_up() { docker compose up --detach --wait --wait-timeout 180 "$@" >"$scratch/up" 2>&1 || fail "up: $(tail -n 5 "$scratch/up")"; }

# The text of a block of docs/guides/docker-compose.md (```sh compose:<name>), which is run as it stands but for its folder of secrets.
block() {
  text=$(awk -v open="compose:$1" '$0 ~ "^```[a-z]+ " open "$" { on = 1; next } $0 == "```" { on = 0 } on' docs/guides/docker-compose.md)
  [ -n "$text" ] || fail "the guide has no block $1"
  printf '%s\n' "$text" | sed "s|\./secrets/|$scratch/secrets/|; s|\bsecrets\b|$scratch/secrets|g; s|$scratch/$scratch|$scratch|g"
}
# example <name>: in this shell, so that what it sets stays
example() { eval "$(block "$1")"; }

server() { curl -s "localhost:8080$1" -H "X-Authorization: Bearer $JWT" -H 'Content-Type: application/json' ${2:+-d "$2"}; }
over_http() { curl -s -o /dev/null -w '%{http_code}' "localhost:8081/api/v1/my-token/$1" -d "$2"; }
over_coap() { timeout 20 coap-client-notls -v 6 -m post -e "$2" "coap://127.0.0.1/api/v1/my-token/$1" 2>&1; }
reads_back() {
  server "/api/plugins/telemetry/DEVICE/$DEVICE/values/timeseries" >"$scratch/read"
  for value in "$@"; do printed "$scratch/read" "\"value\":\"$value\"" || return 1; done
}

# stops_in_time <service...>: by SIGTERM, in order
stops_in_time() {
  for service in "$@"; do
    started=$(date +%s%N)
    docker compose stop "$service" >/dev/null 2>&1
    took=$((($(date +%s%N) - started) / 1000000))
    [ "$took" -lt 10000 ] || fail "$service took $took ms to stop"
    equal "$service stops in under 10 s ($took ms) and in good order" 0 "$(of "$service" '{{.State.ExitCode}}')"
  done
}

# confined <service...>: what the compose file says, as the kernel has it
confined() {
  for service in "$@"; do
    in_service "$service" cat /proc/1/status >"$scratch/status"
    uid=$(awk '/^Uid:/ { print $2 $3 }' "$scratch/status")
    [ "$uid" != 00 ] || fail "$service runs as root"
    equal "$service runs as nobody special ($uid), without rights and a way to get some" '0000000000000000 1' \
      "$(awk '/^CapBnd:/ { c = $2 } /^NoNewPrivs:/ { n = $2 } END { print c, n }' "$scratch/status")"
    for folder in / /opt /tmp /var/lib /root; do
      ! in_service "$service" sh -c "touch $folder/x" 2>/dev/null || fail "$service can write to $folder"
    done
    # Memory, processes, restart policy, read-only.
    limits=$(of "$service" '{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}} {{.HostConfig.NanoCpus}} {{.HostConfig.RestartPolicy.Name}} {{.HostConfig.ReadonlyRootfs}}')
    case $limits in
      "0 "* | *" 0 "* | *nil*) fail "$service has no limits: $limits" ;;
      *" unless-stopped true") echo "ok - $service writes to nothing but its data, and has limits ($limits)" ;;
      *) fail "$service is not confined: $limits" ;;
    esac
  done
}
