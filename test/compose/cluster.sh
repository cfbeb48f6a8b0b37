# The run on a Redis Cluster: sourced by run.sh.
# shellcheck shell=sh

example cluster >"$scratch/up" 2>&1 || fail "up: $(tail -n 5 "$scratch/up")"
# The commands that follow ask the same project.
set -a
. ./deploy/compose/cluster.env
set +a

for service in api http coap coaps redis-1 redis-2 redis-3 redis-4 redis-5 redis-6; do
  equal "$service is healthy" healthy "$(of "$service" '{{.State.Health.Status}}')"
done
equal 'the Cluster was made, and who made it has ended well' 0 "$(of redis-cluster '{{.State.ExitCode}}')"
equal 'there is no Redis beside it' '' "$(docker compose ps --all --quiet redis)"
confined redis-1 redis-6
example login
[ -n "$JWT" ] && [ "$JWT" != null ] || fail 'the password of the file does not log in'
echo 'ok - the administrator logs in with the password that was made up'
example send >"$scratch/sent" 2>&1
until_ok 10 'telemetry of all three doors at the server API' reads_back 42.0 73 3.3
echo 'ok - telemetry over HTTP, CoAP and CoAP over DTLS reads back'

PASSWORD=$PASSWORD node --require esbuild-register test/compose/kill.ts cluster || fail 'something was lost, or did not come back'

docker compose stop >/dev/null 2>&1
bring_up
until_ok 30 'telemetry after a restart of everything' reads_back 42.0 73 3.3
echo 'ok - after everything was stopped and started again telemetry is still there'
docker compose down --timeout 10 >/dev/null 2>&1
bring_up
equal 'containers made anew do not make the Cluster anew' 0 "$(of redis-cluster '{{.State.ExitCode}}')"
until_ok 30 'telemetry at new containers' reads_back 42.0 73 3.3
echo 'ok - and still there when all containers were made anew'
