#!/bin/sh
# Redis as Tandem wants it: one server, or with REDIS_CLUSTER=yes a node of a Cluster.
set -eu

# Every write is on the disk before it is answered. With `everysec` a Redis that dies may lose acknowledged writes, see
# docs/guides/scale-out.md. The append-only file is enough: no snapshots beside it.
set -- --port "$REDIS_PORT" --dir /data \
  --appendonly yes --appendfsync always --save '' \
  --maxmemory "$REDIS_MAXMEMORY" --maxmemory-policy noeviction \
  --protected-mode no
# A node that is silent for so long is replaced by its replica.
[ "${REDIS_CLUSTER:-no}" = no ] || set -- "$@" --cluster-enabled yes --cluster-node-timeout 5000

# The password comes in by the input: what stands on a command line, every process of the machine can read.
password=$(sed 's/[\\"]/\\&/g' /run/secrets/redis_password)
[ -n "$password" ] || exec redis-server "$@"
exec redis-server - "$@" <<END
requirepass "$password"
masterauth "$password"
END
