#!lua
-- Notes of which device a command is and when it lapses, for all processes.
-- KEYS  1 hash: id -> '<device> <call that registered it> <time of Redis, ms>'   2 zset of the ids (by expiration)
-- ARGV  1 id   2 device   3 name of this call   4 expirationTime   5 'new': only where the id is free; 'always'
-- Reply nil when it is registered by this call; else what is registered.
-- One step. Run twice, the second finds its own name.
local devices, expiry = KEYS[1], KEYS[2]
local id, device, call = ARGV[1], ARGV[2], ARGV[3]

local there = redis.call('HGET', devices, id)
redis.call('ZSCORE', expiry, id)
if there and ARGV[5] == 'new' then
  if string.match(there, '^%S+ (%S+) %d+$') == call then return false end
  return there
end
local time = redis.call('TIME')
redis.call('HSET', devices, id, string.format('%s %s %.0f', device, call, time[1] * 1000 + math.floor(time[2] / 1000)))
redis.call('ZADD', expiry, ARGV[4], id)
return false
