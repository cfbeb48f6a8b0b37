#!lua
-- Keeps how far a rollout came, or forgets it, where it is still in the hand of its holder.
-- KEYS  1 records, a hash   2 holders, a hash   3 when they may be taken, a zset
-- ARGV  1 target   2 holder   3 record, none to forget it   4 until when it is held
-- Reply 1; 0 where it is not in his hand any more, and nothing was written.
-- One step; done again it changes nothing.
if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then
  return 0
end
if ARGV[3] then
  redis.call('ZADD', KEYS[3], ARGV[4], ARGV[1])
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
else
  redis.call('ZREM', KEYS[3], ARGV[1])
  redis.call('HDEL', KEYS[1], ARGV[1])
  redis.call('HDEL', KEYS[2], ARGV[1])
end
return 1
