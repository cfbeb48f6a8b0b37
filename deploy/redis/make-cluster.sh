#!/bin/sh
# Makes one Redis Cluster of redis-1 to redis-6, unless they are one. Can be run any number of times.
set -eu
REDISCLI_AUTH=$(cat /run/secrets/redis_password)
[ -z "$REDISCLI_AUTH" ] || export REDISCLI_AUTH

state() { redis-cli -h redis-1 -p 7001 cluster info | tr -d '\r' | sed -n 's/^cluster_state://p'; }
assigned() { redis-cli -h redis-1 -p 7001 cluster info | grep -q '^cluster_slots_assigned:16384'; }

if ! assigned; then
  nodes=
  for n in 1 2 3 4 5 6; do
    # Nodes meet by address: Redis takes no names there.
    nodes="$nodes $(getent hosts "redis-$n" | awk 'NR == 1 { print $1 }'):700$n"
  done
  # shellcheck disable=SC2086 # a list
  redis-cli --cluster create $nodes --cluster-replicas 1 --cluster-yes
fi
for _ in $(seq 60); do
  [ "$(state)" != ok ] || exit 0
  sleep 1
done
echo 'The Cluster is not whole: docker compose logs redis-1 redis-2 redis-3 redis-4 redis-5 redis-6' >&2
exit 1
