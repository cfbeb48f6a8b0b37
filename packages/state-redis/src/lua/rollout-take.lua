#!lua
-- Takes the rollout in hand that has waited longest.
-- KEYS  1 records, a hash   2 holders, a hash   3 when they may be taken, a zset
-- ARGV  1 holder   2 now, ms   3 until when it is held
-- Reply its record; nil where none may be taken.
-- One step. Done again it takes another one, and the first waits until its time has passed.
local target = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', ARGV[2], 'LIMIT', 0, 1)[1]
if not target then
  return false
end
redis.call('ZADD', KEYS[3], ARGV[3], target)
redis.call('HSET', KEYS[2], target, ARGV[1])
return redis.call('HGET', KEYS[1], target)
