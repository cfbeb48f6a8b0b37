# The run on one Redis: sourced by run.sh.
# shellcheck shell=sh

started=$(date +%s)
example up >"$scratch/up" 2>&1 || fail "up: $(tail -n 5 "$scratch/up")"
say "up and healthy in $(($(date +%s) - started)) s"

for service in redis api http coap coaps; do
  equal "$service is healthy" healthy "$(of "$service" '{{.State.Health.Status}}')"
done
confined redis api http coap coaps

example login
[ -n "$JWT" ] && [ "$JWT" != null ] || fail 'the password of the file does not log in'
echo 'ok - the administrator logs in with the password that was made up'
docker compose logs >"$scratch/logs" 2>&1
! printed "$scratch/logs" "$PASSWORD" || fail 'the password stands in the log'
echo 'ok - the password stands in no log'
check 'that the certificate was made up stands in the log' "$scratch/logs" 'nobody vouches for it'

example send >"$scratch/sent" 2>&1
check 'telemetry over HTTP is accepted' "$scratch/sent" 'HTTP/1.1 200'
until_ok 10 'telemetry of all three doors at the server API' reads_back 42.0 73 3.3
example read >"$scratch/read"
check 'telemetry over HTTP, CoAP and CoAP over DTLS reads back at the server API' "$scratch/read" '"voltage"'
timeout 20 coap-client-openssl -v 6 -m post -e '{"voltage": 3.5}' coaps://127.0.0.1/api/v1/my-token/telemetry >"$scratch/coaps" 2>&1
check 'another DTLS client is served, too' "$scratch/coaps" 2.01
curl -s localhost:8080/ >"$scratch/console"
check 'the console is served' "$scratch/console" '<!doctype html>'
server "/api/device-connectivity/$DEVICE" >"$scratch/connectivity"
check 'devices are told the ports of the doors' "$scratch/connectivity" 'localhost:8081/api/v1/my-token/telemetry'

curl -s localhost:8081/api/v1/my-token/attributes/updates >"$scratch/poll" & poll=$!
timeout 60 coap-client-notls -s 60 -m get coap://127.0.0.1/api/v1/my-token/attributes >"$scratch/observe" 2>&1 & observe=$!
children="$poll $observe"
until_ok 10 'the open poll' metric 9102 tandem_http_open_polls 1
until_ok 10 'the observation' metric 9103 tandem_coap_observations 1
server "/api/plugins/telemetry/DEVICE/$DEVICE/SHARED_SCOPE" '{"targetTemperature": 21.5}' >/dev/null
until_ok 10 'the answer to the poll' printed "$scratch/poll" targetTemperature
check 'the poll at another process receives a shared attribute' "$scratch/poll" '{"targetTemperature":21.5}'
until_ok 10 'the notification' printed "$scratch/observe" targetTemperature
check 'the observation at a third one receives it, too' "$scratch/observe" '{"targetTemperature":21.5}'

curl -s localhost:8081/api/v1/my-token/rpc >"$scratch/rpc-poll" & children="$children $!"
until_ok 10 'the open poll' metric 9102 tandem_http_open_polls 1
server "/api/rpc/twoway/$DEVICE" '{"method":"setLed","params":{"on":true},"timeout":20000}' >"$scratch/rpc" & caller=$!
children="$children $caller"
until_ok 10 'the command' printed "$scratch/rpc-poll" setLed
over_coap rpc/0 '{"led":"on"}' >/dev/null
wait "$caller"
check 'a command goes out over HTTP, its answer comes in over CoAP, and the caller has it' "$scratch/rpc" '{"led":"on"}'

docker compose pause redis >/dev/null 2>&1
! in_service http tandem-health >"$scratch/health" 2>&1 || fail 'the health check is good without Redis'
echo 'ok - the health check is bad while Redis does not answer'
docker compose unpause redis >/dev/null 2>&1
until_ok 30 'the recovery' in_service http tandem-health
echo 'ok - the health check is good again once it does'

PASSWORD=$PASSWORD node --require esbuild-register test/compose/kill.ts single || fail 'something was lost, or did not come back'

curl -s --max-time 20 localhost:8081/api/v1/my-token/attributes/updates >"$scratch/poll" || true
check 'after Redis was killed the first poll gets the full state, since that Redis may lack an update' "$scratch/poll" '{"targetTemperature":21.5}'
curl -s -o /dev/null -w '%{http_code}' localhost:8081/api/v1/my-token/attributes/updates >"$scratch/poll" & children="$children $!"
timeout 60 coap-client-notls -s 60 -m get coap://127.0.0.1/api/v1/my-token/attributes >"$scratch/observe" 2>&1 & children="$children $!"
until_ok 10 'the open poll' metric 9102 tandem_http_open_polls 1
until_ok 10 'the observation' printed "$scratch/observe" targetTemperature
stops_in_time http coap coaps api redis
check 'a poll that was open is told to come again' "$scratch/poll" 503

# --- with secrets, and certificates of its own ---

example secrets
cp -r "$scratch/secrets" "$scratch/known"
[ "$(id -u)" != 0 ] || sudo() { "$@"; }
example key || fail 'the key file could not be given to the user of the containers'
block env >"$scratch/env"
set -a
. "$scratch/env"
set +a
example secure >"$scratch/secure" 2>&1 || fail "secure: $(cat "$scratch/secure")"
check 'HTTPS with the given certificate is served' "$scratch/secure" 'HTTP/1.1 200'
equal 'Redis wants its password' 'NOAUTH Authentication required.' "$(in_service redis redis-cli get x 2>&1 | tr -d '\r')"
server() { curl -s --cacert "$scratch/secrets/server.pem" "https://localhost:8080$1" -H "X-Authorization: Bearer $JWT"; }
until_ok 30 'telemetry from before, and over both secure doors' reads_back 43.0 73 3.4
echo 'ok - a device that checks the certificate is served over CoAPS, and what was stored before is still there'
timeout 20 coap-client-notls -m get coap://127.0.0.1/api/v1/my-token/attributes >"$scratch/attributes" 2>&1
check 'so are the device and its attributes' "$scratch/attributes" '"targetTemperature":21.5'
docker compose logs >"$scratch/logs" 2>&1
docker compose config >"$scratch/config"
docker inspect $(docker compose ps --quiet) >>"$scratch/config"
for secret in admin redis key; do
  for shown in logs config; do
    ! printed "$scratch/$shown" "$(cat "$scratch/known/$secret")" || fail "the secret $secret stands in the $shown"
  done
done
echo 'ok - no secret stands in a log, nor where docker inspect shows it'
! printed "$scratch/logs" 'chmod 600' || fail 'a process warns of the key file, which has the owner and mode of the guide'
echo 'ok - no process warns of the key file'
in_service api tandem secrets seal >"$scratch/seal" 2>&1 || fail "seal: $(cat "$scratch/seal")"
check 'secrets that were stored before the key was there are encrypted by the command of the guide' "$scratch/seal" Sealed

# --- more cores ---

block workers-of-one >"$scratch/override.yml"
equal 'workers of one service alone, as in the guide' '2 1258291200 1' \
  "$(docker compose $(echo "$COMPOSE_FILE" | sed 's/^/-f /; s/:/ -f /g') -f "$scratch/override.yml" config --format json | jq -r '.services | "\(.http.environment.TANDEM_WORKERS) \(.http.mem_limit) \(.coap.cpus)"')"
block workers >>"$scratch/gateway.env"
block workers-env >"$scratch/env"
set -a
. "$scratch/env"
set +a
# An engine refuses more processors than there are.
[ "$(docker info --format '{{.NCPU}}')" -ge 2 ] || export GATEWAY_CPUS=1.0
bring_up
for port in 9101 9102 9103 9104; do until_ok 30 "two workers at $port" metric "$port" tandem_workers_ready 2; done
echo 'ok - each service has two workers'
secure=$(block secure | sed '/^docker/d; s/43\.0/44.0/; s/3\.4/3.6/')
eval "$secure" >"$scratch/secure" 2>&1
check 'HTTPS is served by workers' "$scratch/secure" 'HTTP/1.1 200'
over_coap telemetry '{"humidity": 74}' >/dev/null
until_ok 30 'telemetry of all doors of workers' reads_back 44.0 74 3.6
echo 'ok - telemetry over HTTPS, CoAP and CoAP over DTLS reads back at workers'
docker stats --no-stream --format '{{.Name}} {{.MemUsage}}' $(docker compose ps --quiet api http coap coaps)
stops_in_time http coap coaps api
bring_up

# --- the profile monitoring ---

monitoring=deploy/prometheus
if command -v promtool >/dev/null; then
  # Reads the rules that it names as well.
  promtool check config "$monitoring/prometheus.yml" >"$scratch/promtool" 2>&1 || fail "promtool: $(cat "$scratch/promtool")"
  echo 'ok - promtool takes the configuration of Prometheus and its rules'
else
  say 'skipped: promtool is not here (Debian: prometheus)'
fi
image=$(docker compose --profile monitoring config --images prometheus 2>/dev/null | grep prometheus | head -n 1)
if [ "$networks" = no ]; then
  say 'skipped: Prometheus finds the processes by DNS, which an engine without networks has not'
elif docker image inspect "${image:-none}" >/dev/null 2>&1; then
  docker compose --profile monitoring up --detach --wait --wait-timeout 120 prometheus >"$scratch/up" 2>&1 || fail "prometheus: $(tail -n 5 "$scratch/up")"
  prometheus() { curl -s "localhost:9090/api/v1/$1"; }
  up_targets() { prometheus 'targets?state=active' | jq -r '[.data.activeTargets[] | select(.health == "up") | .labels.role // .labels.job] | sort | join(" ")'; }
  all_up() { [ "$(up_targets)" = 'api coap coaps http prometheus' ]; }
  until_ok 60 'Prometheus reads all four processes' all_up
  equal 'every target of Prometheus is up' 0 "$(prometheus 'targets?state=active' | jq '[.data.activeTargets[] | select(.health != "up")] | length')"
  all_evaluated() { prometheus rules | jq -e '[.data.groups[].rules[]] | length > 0 and all(.health == "ok")'; }
  until_ok 60 'the evaluation of every rule' all_evaluated
  equal 'every alert of deploy/prometheus is loaded' "$(grep -ch '^ *- alert: ' "$monitoring"/alerts*.yml | awk '{ n += $1 } END { print n }')" \
    "$(prometheus 'rules?type=alert' | jq '[.data.groups[].rules[]] | length')"
  # Each expression of the dashboard, by who has to understand it.
  jq -r '.. | .expr? // empty' deploy/grafana/tandem.json | sed 's/\$__rate_interval/1m/g; s/"\$\(job\|instance\)"/".*"/g; s/\$__range/1h/g' >"$scratch/expressions"
  while IFS= read -r expression; do
    answer=$(curl -s localhost:9090/api/v1/query --data-urlencode "query=$expression")
    [ "$(echo "$answer" | jq -r .status)" = success ] || fail "the dashboard asks Prometheus: $expression: $answer"
  done <"$scratch/expressions"
  echo "ok - Prometheus understands each of the $(wc -l <"$scratch/expressions") questions of the dashboard"
  confined prometheus
else
  say "skipped: the image ${image:-of Prometheus} is not here (docker pull)"
fi
example stop >/dev/null 2>&1
