#!/bin/sh
# Brings docker-compose.yml up as it stands, as a project of its own, runs the commands of docs/guides/docker-compose.md, and uses it from
# outside with the real curl and coap-client: what is written at one process has to arrive at the others. Kills every container under
# load and accounts for all that was acknowledged. Where no docker engine answers it says so and ends well.
#
#   npm run test:compose                 one Redis
#   npm run test:compose -- cluster      a Redis Cluster
#   npm run test:compose -- image        the image alone, all in one process
#
# On an engine without networks (`docker network ls` names no bridge) the services run on the host's network.
set -eu
cd "$(dirname "$0")/../.."
. test/compose/lib.sh
run=${1:-single}

docker info >/dev/null 2>&1 || {
  say 'skipped, no docker engine answers here (on Debian: sudo apt-get install docker.io; https://docs.docker.com/engine/install/)'
  exit 0
}
docker compose version >/dev/null 2>&1 || {
  say 'skipped, docker has no compose plugin here (https://docs.docker.com/compose/install/)'
  exit 0
}
sh tools/need.sh coap-client-notls=libcoap3-bin coap-client-openssl=libcoap3-bin coap-client-gnutls=libcoap3-bin curl=curl jq=jq openssl=openssl
npx tsc -b

scratch=$(mktemp -d)
export COMPOSE_PROJECT_NAME=tandem-test COMPOSE_FILE=docker-compose.yml
# Of a deployer's environment and files nothing counts here.
for name in $(grep -o '\${[A-Z_]*' docker-compose.yml | tr -d '${' | sort -u) COMPOSE_PROFILES COMPOSE_ENV_FILES; do unset "$name"; done
[ "$run" = cluster ] || export COMPOSE_DISABLE_ENV_FILE=1
# The rounds under load ask for more points than are kept by default; that they are there shows that this file counts.
echo TANDEM_HISTORY_MAX=1000000 >"$scratch/gateway.env"
export GATEWAY_ENV_FILE="$scratch/gateway.env"

ports='8080 8081 9101 9102 9103 9104'
networks=yes
if ! docker network inspect bridge >/dev/null 2>&1; then
  networks=no
  docker compose --profile '*' config --format json | node test/compose/host-network.mjs >"$scratch/host-network.yml"
  COMPOSE_FILE=docker-compose.yml:$scratch/host-network.yml
  # Here a Redis of somebody else would be taken for ours.
  ports="$ports 6379 7001 7002 7003 7004 7005 7006"
fi

children=
tear_down() {
  # shellcheck disable=SC2086 # a list of process ids
  [ -z "$children" ] || kill $children 2>/dev/null || true
  docker compose --profile '*' down --volumes --timeout 10 >/dev/null 2>&1 || true
  docker rm --force tandem-test-image >/dev/null 2>&1 || true
  docker volume rm tandem-test-image >/dev/null 2>&1 || true
  rm -rf "$scratch"
}
trap tear_down EXIT
trap 'exit 1' HUP INT TERM

# shellcheck disable=SC2086 # a list of ports
node -e '
  for (const port of process.argv.slice(1)) {
    const server = require("node:net").createServer().listen(port, "127.0.0.1", () => server.close());
    server.on("error", (error) => { console.error(`test:compose: port ${port}: ${error.message}`); process.exitCode = 1; });
  }' $ports

docker compose --profile '*' down --volumes >/dev/null 2>&1 || true
started=$(date +%s)
docker compose build >"$scratch/build" 2>&1 || fail "build: $(tail -n 20 "$scratch/build")"
base=$(docker image inspect --format '{{.Size}}' node:24-bookworm-slim 2>/dev/null || echo 0)
say "built in $(($(date +%s) - started)) s, $(docker image inspect --format '{{.Size}}' tandem | awk -v base="$base" '{ printf "%.0f MB, of which ours %.0f", $1 / 1e6, ($1 - base) / 1e6 }')"

case $run in
  single) . test/compose/single.sh ;;
  cluster) . test/compose/cluster.sh ;;
  image) . test/compose/image.sh ;;
  *) fail "there is no run $run: single, cluster, image" ;;
esac
say 'all of it holds'
