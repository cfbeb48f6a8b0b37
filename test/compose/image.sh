# The run of the image alone, as the head of the Dockerfile has it: sourced by run.sh.
# shellcheck shell=sh

name=tandem-test-image
remove_image_run() { docker rm --force "$name" >/dev/null 2>&1 || true; docker volume rm "$name" >/dev/null 2>&1 || true; }
fail_with_log() { docker logs --tail 15 "$name" >&2; fail "$1"; }
state() { docker inspect --format "$1" "$name"; }
is_healthy() { [ "$(state '{{.State.Health.Status}}')" = healthy ]; }
# Of README.md, with what stands there of the folder `data` read in the container.
from_readme() { eval "$(awk -v open="walk:$1" '$0 == "```sh " open { on = 1; next } $0 == "```" { on = 0 } on' README.md | sed "s|cat data/|docker exec $name cat /data/|")"; }

docker run --rm tandem --help >"$scratch/help"
check 'the image runs any command of tandem' "$scratch/help" doctor
docker run --rm tandem doctor >"$scratch/doctor" || fail "doctor: $(cat "$scratch/doctor")"
equal 'the doctor finds nothing wrong in the image' 0 "$(grep -c '^fail' "$scratch/doctor")"

ports='-p 8080:8080 -p 5683:5683/udp'
[ "$networks" = yes ] || ports='--network host'
remove_image_run
started=$(date +%s%N)
# shellcheck disable=SC2086 # a list of options
docker run --detach --name "$name" $ports -v "$name:/data" tandem >/dev/null
until_ok 60 'a healthy container' is_healthy
say "healthy $((($(date +%s%N) - started) / 1000000)) ms after docker run"

from_readme login
[ -n "$JWT" ] && [ "$JWT" != null ] || fail_with_log 'the password of the file does not log in'
from_readme create
from_readme send >"$scratch/sent" 2>&1
check 'the lines of the README work: telemetry over HTTP is accepted' "$scratch/sent" 'HTTP/1.1 200'
until_ok 10 'telemetry of both doors at the server API' reads_back 42.0 73
echo 'ok - telemetry over HTTP and CoAP reads back'

curl -s localhost:8080/ >"$scratch/console"
check 'the console is served' "$scratch/console" '<!doctype html>'
files=$(grep -oE '(src|href)="[^":]+\.(js|css)"' "$scratch/console" | sed 's/.*="//; s/"$//; s|^/||' | sort -u)
for path in $files; do
  [ "$(curl -s -o /dev/null -w '%{http_code}' "localhost:8080/$path")" = 200 ] || fail_with_log "the console's $path is not served"
done
[ -n "$files" ] || fail 'the console names no files'
echo "ok - and the $(echo "$files" | wc -l) files that it names"

curl -s -o /dev/null -w '%{http_code}' localhost:8080/api/v1/my-token/attributes/updates >"$scratch/poll" & children="$children $!"
polls() { docker exec "$name" node -e "fetch('http://127.0.0.1:9090/metrics').then((r) => r.text()).then((t) => process.exit(/^tandem_http_open_polls(\{[^}]*\})? 1\$/m.test(t) ? 0 : 1))"; }
until_ok 10 'the open poll' polls
started=$(date +%s%N)
docker stop "$name" >/dev/null
took=$((($(date +%s%N) - started) / 1000000))
[ "$took" -lt 10000 ] || fail_with_log "docker stop took $took ms"
equal "docker stop takes less than 10 s ($took ms) with a poll open, and the process ends in good order" 0 "$(state '{{.State.ExitCode}}')"
check 'the poll is told to come again' "$scratch/poll" 503
docker start "$name" >/dev/null
until_ok 60 'a healthy container' is_healthy
until_ok 10 'telemetry after a restart' reads_back 42.0 73
echo 'ok - after a restart everything is still there'
remove_image_run
