#!/bin/sh
# Whether Redis answers; while it still reads its file it does not.
REDISCLI_AUTH=$(cat /run/secrets/redis_password)
[ -z "$REDISCLI_AUTH" ] || export REDISCLI_AUTH
redis-cli -p "$REDIS_PORT" ping | grep -q PONG
