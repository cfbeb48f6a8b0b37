#!lua flags=allow-oom
-- Forgets a command that is gone or never came to be.
-- KEYS  1 hash: id -> '<device> <call that registered it> <time of Redis, ms>'   2 zset of the ids (by expiration)
--       3 zset of the ids of persistent ones that are final (by the time since which they are)
-- ARGV  1 id   2 the call that registered it: a registration of another one stays   3 least age, ms: a younger
--       registration stays, its command may be on its way
-- Reply 1 when the id is free, 0 when the registration stays.
-- One step; run twice, the second finds nothing to do.
local devices, expiry, finished, id = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
local there = redis.call('HGET', devices, id)
redis.call('ZSCORE', expiry, id)
redis.call('ZSCORE', finished, id)
if there then
  local call, since = string.match(there, '^%S+ (%S+) (%d+)$')
  local time = redis.call('TIME')
  if call ~= ARGV[2] or time[1] * 1000 + time[2] / 1000 - since < tonumber(ARGV[3]) then return 0 end
  redis.call('HDEL', devices, id)
end
redis.call('ZREM', expiry, id)
redis.call('ZREM', finished, id)
return 1
