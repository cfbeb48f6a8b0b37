#!/bin/sh
# Runs the commands of the README's "Five minutes", as they stand there, with the real curl and coap-client, and checks
# what they print. By default on a fresh clone and the default ports. With WALK_HERE=1 on the build in this folder, with
# the ports and the data folder that HTTP_BIND_PORT, COAP_BIND_PORT, TANDEM_METRICS_PORT and TANDEM_DATA_DIR name.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d)
group=
trap 'stop_gateway; rm -rf "$scratch"' EXIT

# The text of a block of the README: ```sh walk:<name>
block() {
  text=$(awk -v open="\`\`\`sh walk:$1" '$0 == open { on = 1; next } $0 == "```" { on = 0 } on' "$here/README.md")
  [ -n "$text" ] || fail "the README has no block $1"
  if [ "${WALK_HERE:-}" = 1 ]; then
    text=$(printf '%s\n' "$text" | sed -e "s|localhost:8080|localhost:$HTTP_BIND_PORT|g" \
      -e "s|coap://127.0.0.1/|coap://127.0.0.1:$COAP_BIND_PORT/|g" -e "s|cat data/|cat $TANDEM_DATA_DIR/|g" \
      -e 's|npm ci && npm start|node packages/gateway/bin/tandem.js serve|' \
      -e 's|npm run tandem --|node packages/gateway/bin/tandem.js|')
  fi
  printf '%s\n' "$text"
}

fail() {
  echo "walk: $1" >&2
  [ ! -s "$scratch/gateway.log" ] || tail -n 20 "$scratch/gateway.log" >&2
  exit 1
}

# check <what it shows> <file> <fixed text that must be in it>
check() {
  grep -qF -- "$3" "$2" || fail "$1: expected '$3', got: $(cat "$2")"
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

ready() { curl -sf "localhost:$metrics/readyz"; }
ready_or_gone() { ready || ! kill -0 "-$group"; }
metric() { curl -s "localhost:$metrics/metrics" | grep -q "^$1 $2\$"; }
printed() { grep -qF -- "$2" "$1"; }

start_gateway() {
  setsid sh -c "$1" >"$scratch/gateway.log" 2>&1 &
  group=$!
  until_ok "$2" 'the start' ready_or_gone
  kill -0 "-$group" 2>/dev/null || fail 'the gateway did not start'
}

stop_gateway() {
  [ -n "$group" ] || return 0
  kill -TERM "-$group" 2>/dev/null || true
  wait "$group" 2>/dev/null || true
  group=
}

metrics=${TANDEM_METRICS_PORT:-9090}
if [ "${WALK_HERE:-}" = 1 ]; then
  cd "$here"
else
  git clone -q "$here" "$scratch/tandem"
  cd "$scratch/tandem"
fi

start_gateway "$(block start)" 300

eval "$(block login)"
curl -s "localhost:${HTTP_BIND_PORT:-8080}/" >"$scratch/console"
check 'the console is where the README says' "$scratch/console" '<title>'
eval "$(block create)"
eval "$(block send)" >"$scratch/send" 2>&1
check 'telemetry over HTTP is accepted' "$scratch/send" '200 OK'

reads_back() {
  eval "$(block read)" >"$scratch/read"
  printed "$scratch/read" '"humidity"' && printed "$scratch/read" '"temperature"'
}
until_ok 5 'both values in the view' reads_back
check 'telemetry sent over HTTP reads back as a double' "$scratch/read" '"value":"42.0"'
check 'telemetry sent over CoAP reads back' "$scratch/read" '"value":"73"'

sh -c "$(block poll)" >"$scratch/poll" & poll=$!
timeout 60 sh -c "$(block observe)" >"$scratch/observe" 2>&1 & observe=$!
until_ok 5 'the open poll' metric tandem_http_open_polls 1
until_ok 5 'the observation' metric 'tandem_coap_observations{protocol="coap"}' 1
eval "$(block share)" >"$scratch/share"
check 'a shared attribute is saved' "$scratch/share" '200 OK'
wait "$poll"
check 'the HTTP poll receives it' "$scratch/poll" '{"targetTemperature":21.5}'
until_ok 5 'the notification' printed "$scratch/observe" targetTemperature
check 'the CoAP observation receives it' "$scratch/observe" '{"targetTemperature":21.5}'
kill "$observe" 2>/dev/null || true

sh -c "$(block rpc-poll)" >"$scratch/rpc-poll" & poll=$!
until_ok 5 'the open poll' metric tandem_http_open_polls 1
(eval "$(block rpc-send)") >"$scratch/rpc-send" & caller=$!
wait "$poll"
check 'the HTTP poll receives the command' "$scratch/rpc-poll" '{"id":0,"method":"setLed","params":{"on":true}}'
eval "$(block rpc-answer)" >"$scratch/rpc-answer"
check 'the answer over HTTP is accepted' "$scratch/rpc-answer" '200 OK'
wait "$caller"
check 'the caller receives the answer' "$scratch/rpc-send" '{"led":"on"}'

timeout 60 sh -c "$(block rpc-observe)" >"$scratch/rpc-observe" 2>&1 & observe=$!
until_ok 5 'the observation of commands' metric 'tandem_coap_observations{protocol="coap"}' '[12]'
(eval "$(block rpc-send)") >"$scratch/rpc-send" & caller=$!
until_ok 5 'the command as a notification' printed "$scratch/rpc-observe" setLed
check 'the CoAP observation receives the command' "$scratch/rpc-observe" '{"id":1,"method":"setLed","params":{"on":true}}'
eval "$(block rpc-coap-answer)" >"$scratch/rpc-answer" 2>&1
wait "$caller"
check 'the caller receives the answer given over CoAP' "$scratch/rpc-send" '{"led":"off"}'
kill "$observe" 2>/dev/null || true

stop_gateway
start_gateway "$(block start | sed 's/npm ci && //')" 60
eval "$(block login)"
eval "$(block read)" >"$scratch/read"
check 'after a restart the telemetry is still there' "$scratch/read" '"value":"42.0"'
curl -s "localhost:${HTTP_BIND_PORT:-8080}/api/v1/my-token/attributes" >"$scratch/attributes"
check 'after a restart the device and its attributes are still there' "$scratch/attributes" '"targetTemperature":21.5'
(eval "$(block doctor)") >"$scratch/doctor" 2>&1 && fail 'the doctor finds nothing wrong with a port that is none'
awk '/^```text/ { on = 1; next } /^```/ { on = 0 } on' "$here/README.md" >"$scratch/as-it-says"
while read -r line; do check 'the doctor says what the README says' "$scratch/doctor" "$line"; done <"$scratch/as-it-says"
echo 'walk: all of it holds'
