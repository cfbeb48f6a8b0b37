#!/bin/sh
# Brings docker-compose.yml up as it stands, as a project of its own, and uses it from outside with the real curl and
# coap-client: what is written at one process has to arrive at the others. Then it stops it, starts it again and looks
# whether everything is still there. Where no docker engine answers it says so and ends well.
#
# On an engine without networks (`docker network ls` names no bridge) the services run on the host's network.
set -eu
cd "$(dirname "$0")/../.."
say() { echo "test:compose: $1"; }

docker info >/dev/null 2>&1 || {
  say 'skipped, no docker engine answers here (on Debian: sudo apt-get install docker.io; https://docs.docker.com/engine/install/)'
  exit 0
}
docker compose version >/dev/null 2>&1 || {
  say 'skipped, docker has no compose plugin here (https://docs.docker.com/compose/install/)'
  exit 0
}
sh tools/need.sh coap-client-notls=libcoap3-bin curl=curl jq=jq

export COMPOSE_PROJECT_NAME=tandem-test COMPOSE_FILE=docker-compose.yml
ports='8080 8081 9101 9102 9103'
if ! docker network inspect bridge >/dev/null 2>&1; then
  COMPOSE_FILE=docker-compose.yml:test/compose/host-network.yml
  # Here a Redis of somebody else would be taken for ours.
  ports="$ports 6379"
fi
# Of a deployer's .env or environment nothing counts here.
export COMPOSE_DISABLE_ENV_FILE=1
unset TANDEM_ADMIN_EMAIL TANDEM_ADMIN_PASSWORD TANDEM_LOG_LEVEL REDIS_MAXMEMORY

scratch=$(mktemp -d)
children=
tear_down() {
  # shellcheck disable=SC2086 # a list of process ids
  [ -z "$children" ] || kill $children 2>/dev/null || true
  docker compose down --volumes --timeout 10 >/dev/null 2>&1 || true
  rm -rf "$scratch"
}
trap tear_down EXIT
trap 'exit 1' HUP INT TERM

fail() {
  echo "test:compose: $1" >&2
  docker compose ps --all >&2 || true
  docker compose logs --tail 15 >&2 || true
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
metric() { curl -s "localhost:$1/metrics" | grep -q "^$2 $3\$"; }
bring_up() { docker compose up --detach --wait --wait-timeout 180 "$@" >"$scratch/up" 2>&1 || fail "up: $(tail -n 5 "$scratch/up")"; }
of() { docker inspect --format "$2" "$(docker compose ps --all --quiet "$1")"; }
in_service() { docker compose exec -T "$@"; }

server() { curl -s "localhost:8080$1" -H "X-Authorization: Bearer $JWT" -H 'Content-Type: application/json' ${2:+-d "$2"}; }
login() {
  JWT=$(curl -s localhost:8080/api/auth/login -H 'Content-Type: application/json' \
    -d "{\"username\":\"tenant@thingsboard.org\",\"password\":\"$PASSWORD\"}" | jq -r .token)
  [ -n "$JWT" ] && [ "$JWT" != null ]
}
over_http() { curl -s -o /dev/null -w '%{http_code}' "localhost:8081/api/v1/compose-token/$1" -d "$2"; }
over_coap() { timeout 20 coap-client-notls -v 6 -m post -e "$2" "coap://127.0.0.1/api/v1/compose-token/$1" 2>&1; }
reads_back() {
  server "/api/plugins/telemetry/DEVICE/$DEVICE/values/timeseries" >"$scratch/read"
  for value in "$@"; do printed "$scratch/read" "\"value\":\"$value\"" || return 1; done
}

# shellcheck disable=SC2086 # a list of ports
node -e '
  for (const port of process.argv.slice(1)) {
    const server = require("node:net").createServer().listen(port, "127.0.0.1", () => server.close());
    server.on("error", (error) => { console.error(`test:compose: port ${port}: ${error.message}`); process.exitCode = 1; });
  }' $ports

docker compose down --volumes >/dev/null 2>&1 || true
started=$(date +%s)
docker compose build >"$scratch/build" 2>&1 || fail "build: $(tail -n 20 "$scratch/build")"
say "built in $(($(date +%s) - started)) s, $(docker image inspect --format '{{.Size}}' tandem | awk '{ printf "%.0f", $1 / 1e6 }') MB with its base"
started=$(date +%s)
bring_up
say "up and healthy in $(($(date +%s) - started)) s"

for service in redis api http coap; do
  equal "$service is healthy" healthy "$(of "$service" '{{.State.Health.Status}}')"
done
for service in api http coap; do
  equal "$service runs as nobody special" 'Uid: 1000' "$(in_service "$service" awk '/^Uid:/ { print $1, $2 }' /proc/1/status)"
done
uid=$(in_service redis awk '/^Uid:/ { print $2 }' /proc/1/status)
[ "$uid" != 0 ] || fail 'redis runs as root'
echo 'ok - redis does not run as root'

PASSWORD=$(in_service api cat /data/initial-admin-password)
login || fail 'the password of the file does not log in'
echo 'ok - the administrator logs in with the password that was made up'
docker compose logs >"$scratch/logs" 2>&1
! printed "$scratch/logs" "$PASSWORD" || fail 'the password stands in the log'
echo 'ok - the password stands in no log'

DEVICE=$(server '/api/device?accessToken=compose-token' '{"name":"Thermometer"}' | jq -r .id.id)
equal 'telemetry over HTTP is accepted' 200 "$(over_http telemetry '{"temperature": 42.0}')"
over_coap telemetry '{"humidity": 73}' >"$scratch/coap"
check 'telemetry over CoAP is accepted' "$scratch/coap" 2.01
until_ok 10 'both values at the server API' reads_back 42.0 73
check 'telemetry of both doors reads back at the server API' "$scratch/read" '"humidity"'

curl -s localhost:8081/api/v1/compose-token/attributes/updates >"$scratch/poll" & poll=$!
timeout 60 coap-client-notls -s 60 -m get coap://127.0.0.1/api/v1/compose-token/attributes >"$scratch/observe" 2>&1 & observe=$!
children="$poll $observe"
until_ok 10 'the open poll' metric 9102 tandem_http_open_polls 1
until_ok 10 'the observation' metric 9103 'tandem_coap_observations{protocol="coap"}' 1
server "/api/plugins/telemetry/DEVICE/$DEVICE/SHARED_SCOPE" '{"targetTemperature": 21.5}' >/dev/null
until_ok 10 'the answer to the poll' printed "$scratch/poll" targetTemperature
check 'the poll at another process receives a shared attribute' "$scratch/poll" '{"targetTemperature":21.5}'
until_ok 10 'the notification' printed "$scratch/observe" targetTemperature
check 'the observation at a third one receives it, too' "$scratch/observe" '{"targetTemperature":21.5}'

curl -s localhost:8081/api/v1/compose-token/rpc >"$scratch/rpc-poll" & children="$children $!"
until_ok 10 'the open poll' metric 9102 tandem_http_open_polls 1
server "/api/rpc/twoway/$DEVICE" '{"method":"setLed","params":{"on":true},"timeout":20000}' >"$scratch/rpc" & caller=$!
children="$children $caller"
until_ok 10 'the command' printed "$scratch/rpc-poll" setLed
over_coap rpc/0 '{"led":"on"}' >/dev/null
wait "$caller"
check 'a command goes out over HTTP, its answer comes in over CoAP, and the caller has it' "$scratch/rpc" '{"led":"on"}'

equal 'the health check is good where the gateway is ready' ready "$(in_service http tandem-health)"
docker compose pause redis >/dev/null 2>&1
! in_service http tandem-health >"$scratch/health" 2>&1 || fail 'the health check is good without Redis'
echo 'ok - the health check is bad while Redis does not answer'
docker compose unpause redis >/dev/null 2>&1
until_ok 30 'the recovery' in_service http tandem-health
echo 'ok - the health check is good again once it does'

equal 'telemetry is accepted before Redis is killed' 200 "$(over_http telemetry '{"temperature": 43.0}')"
docker compose kill redis >/dev/null 2>&1
bring_up
until_ok 30 'the value from before the kill' reads_back 43.0
echo 'ok - what was acknowledged is there after the kill'

until_ok 30 'the health of http' in_service http tandem-health
curl -s --max-time 20 localhost:8081/api/v1/compose-token/attributes/updates >"$scratch/poll" || true
check 'the first poll after it gets the full state, since a Redis that was away may lack an update' "$scratch/poll" '{"targetTemperature":21.5}'
curl -s -o /dev/null -w '%{http_code}' localhost:8081/api/v1/compose-token/attributes/updates >"$scratch/poll" & children="$children $!"
until_ok 10 'the open poll' metric 9102 tandem_http_open_polls 1
for service in http coap api redis; do
  started=$(date +%s)
  docker compose stop "$service" >/dev/null 2>&1
  took=$(($(date +%s) - started))
  [ "$took" -le 10 ] || fail "$service took $took s to stop"
  equal "$service stops within 10 s ($took s) and in good order" 0 "$(of "$service" '{{.State.ExitCode}}')"
done
check 'a poll that was open is told to come again' "$scratch/poll" 503

bring_up
login || fail 'the password does not log in any more'
reads_back 43.0 73 || fail "telemetry after the restart: $(cat "$scratch/read")"
echo 'ok - after a restart telemetry is still there'
timeout 20 coap-client-notls -m get coap://127.0.0.1/api/v1/compose-token/attributes >"$scratch/attributes" 2>&1
check 'after a restart the device and its attributes are still there' "$scratch/attributes" '"targetTemperature":21.5'
kill "$observe" 2>/dev/null || true
say 'all of it holds'
