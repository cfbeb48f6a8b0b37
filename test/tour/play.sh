# What test/tour.sh is written in: a gateway of its own, calls of the server API, and what must come back. To be sourced.
here=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d)
cd "$scratch"
origin= coap= metrics= gateway= background= token= status=
coap_client=$(command -v coap-client-notls || command -v coap-client) || { echo 'tour: there is no coap-client' >&2; exit 1; }
trap 'stop_background; stop_gateway; rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

fail() {
  echo "not ok - $1" >&2
  [ ! -s "$scratch/gateway.log" ] || tail -n 10 "$scratch/gateway.log" >&2
  exit 1
}

# On free ports and an empty folder, or on the Redis that REDIS_URL names.
start_gateway() {
  env "$@" HTTP_BIND_ADDRESS=127.0.0.1 HTTP_BIND_PORT=0 COAP_BIND_ADDRESS=127.0.0.1 COAP_BIND_PORT=0 \
    TANDEM_METRICS_ADDRESS=127.0.0.1 TANDEM_METRICS_PORT=0 TANDEM_DATA_DIR="$scratch/data" \
    node "$here/packages/gateway/bin/tandem.js" serve >"$scratch/gateway.log" 2>&1 &
  gateway=$!
  until grep -q '"message":"ready"' "$scratch/gateway.log"; do
    kill -0 "$gateway" 2>/dev/null || fail 'the gateway starts'
    sleep 0.1
  done
  grep '"message":"ready"' "$scratch/gateway.log" >"$scratch/ready"
  origin="http://127.0.0.1:$(jq -r .http "$scratch/ready")"
  coap="coap://127.0.0.1:$(jq -r .coap "$scratch/ready")"
  metrics="http://127.0.0.1:$(jq -r .metrics "$scratch/ready")/metrics"
}

stop_gateway() {
  [ -n "$gateway" ] || return 0
  kill -TERM "$gateway" 2>/dev/null || true
  wait "$gateway" 2>/dev/null || true
  gateway=
}

# What watches or observes beside the calls.
stop_background() {
  [ -z "$background" ] || kill -TERM "$background" 2>/dev/null || true
  background=
}

# appears <what it shows> <file> <fixed text>   waits for it in the output of what runs in the background
appears() {
  deadline=$(($(date +%s) + 10))
  until grep -qF -- "$3" "$2" 2>/dev/null; do
    [ "$(date +%s)" -lt "$deadline" ] || fail "$1: no '$3' in: $(cat "$2")"
    sleep 0.1
  done
  echo "ok - $1"
}

# call <method> <path> [body]   as whoever $token is; leaves $status and $scratch/body
call() {
  method=$1 path=$2
  shift 2
  [ $# -eq 0 ] || set -- -H 'Content-Type: application/json' -d "$1"
  [ -z "$token" ] || set -- "$@" -H "X-Authorization: Bearer $token"
  curl_to_body -X "$method" "$@" "$origin$path"
}

curl_to_body() {
  : >"$scratch/body"
  status=$(curl -s --max-time 30 -o "$scratch/body" -w '%{http_code}' "$@") || fail "curl $*"
}

came() { [ "$status" = "$1" ] && jq -e "$2" "$scratch/body" >/dev/null 2>&1; }
instead() { fail "$1: not $2 but $status $(cat "$scratch/body")"; }

# json <what it shows> <status> <jq filter that must give true> <method> <path> [body]
json() {
  what=$1 wanted=$2 filter=$3
  shift 3
  call "$@"
  came "$wanted" "$filter" || instead "$what" "$wanted with $filter"
  echo "ok - $what"
}

# text <what it shows> <status> <the whole body> <method> <path> [body]
text() {
  what=$1 wanted=$2 body=$3
  shift 3
  call "$@"
  [ "$status" = "$wanted" ] && [ "$(cat "$scratch/body")" = "$body" ] || instead "$what" "$wanted '$body'"
  echo "ok - $what"
}

# soon <what it shows> <status> <jq filter> <method> <path>   for what is there moments later
soon() {
  what=$1 wanted=$2 filter=$3 deadline=$(($(date +%s) + 10))
  shift 3
  call "$@"
  until came "$wanted" "$filter"; do
    [ "$(date +%s)" -lt "$deadline" ] || instead "$what" "$wanted with $filter"
    sleep 0.1
    call "$@"
  done
  echo "ok - $what"
}

# open_polls <number>   waits until so many long polls of devices are open
open_polls() {
  deadline=$(($(date +%s) + 10))
  until curl -s "$metrics" | grep -qx "tandem_http_open_polls $1"; do
    [ "$(date +%s)" -lt "$deadline" ] || fail "$1 open polls"
    sleep 0.1
  done
}

# got <jq path>   out of the last body
got() { jq -er "$1" "$scratch/body" || fail "$1 in $(cat "$scratch/body")"; }

# same <what it shows> <found> <expected>
same() {
  [ "$2" = "$3" ] || fail "$1: not '$3' but '$2'"
  echo "ok - $1"
}

# over_http <what it shows> <status> <whole body> <access token> <resource> [curl arguments]   the device acts
over_http() {
  what=$1 wanted=$2 body=$3 url="$origin/api/v1/$4/$5"
  shift 5
  curl_to_body "$@" "$url"
  [ "$status" = "$wanted" ] && [ "$(cat "$scratch/body")" = "$body" ] || instead "$what" "$wanted '$body'"
  echo "ok - $what"
}

# over_coap <access token> <resource> [coap-client arguments]   prints the payload of a success
over_coap() {
  url="$coap/api/v1/$1/$2"
  shift 2
  timeout 30 "$coap_client" -B 10 "$@" "$url" 2>&1
}

# guide <block> <file>   runs a block of docs/guides/server-api.md, against this gateway
guide() {
  block=$(awk -v open="\`\`\`sh tour:$1" '$0 == open { on = 1; next } $0 == "```" { on = 0 } on' "$here/docs/guides/server-api.md")
  [ -n "$block" ] || fail "the guide has no block $1"
  eval "$(printf '%s\n' "$block" | sed -e "s|http://localhost:8080|$origin|g" -e "s|coap://127.0.0.1/|$coap/|g")"
}
