#!lua flags=allow-oom
-- Deletes points of one telemetry key of a device from the view.
--
-- KEYS  1 log of the device, a hash   2 latest values, a hash: key -> '<ts> <value>'
--       3 keys that have a history and no latest value, a set   4 history of the key, a sorted set: '<ts> <value>' by ts
--       5 feed of the device, a channel
-- ARGV  1 the key   2 from this ts on   3 up to this one, which stays
--       4 what becomes of a latest value of that time: 'keep', 'remove', or 'rewrite' with the newest point before it
--       5 PUBLISH or SPUBLISH
-- Reply points that were deleted; nil where the log has no epoch, and nothing was done.
--
-- Atomic; all types are looked at before the first write: keys of another program are an error. Done again it deletes what
-- has come meanwhile. Allowed when memory is full, since it makes room.
-- with feed
local key, from, to, fate = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if not redis.call('HGET', KEYS[1], 'epoch') then
  return false
end
local latest = redis.call('HGET', KEYS[2], key)
redis.call('SCARD', KEYS[3])
local all = redis.call('ZCARD', KEYS[4])
local deleted = redis.call('ZCOUNT', KEYS[4], from, '(' .. to)
if deleted == all then
  -- Memory is freed by another thread.
  redis.call('UNLINK', KEYS[4])
else
  redis.call('ZREMRANGEBYSCORE', KEYS[4], from, '(' .. to)
end
local time = latest and tonumber(string.match(latest, '^%S+'))
if time and fate ~= 'keep' and time >= tonumber(from) and time < tonumber(to) then
  latest = fate == 'rewrite' and redis.call('ZREVRANGEBYSCORE', KEYS[4], '(' .. from, '-inf', 'LIMIT', 0, 1)[1]
  if latest then
    redis.call('HSET', KEYS[2], key, latest)
  else
    redis.call('HDEL', KEYS[2], key)
  end
  if isWatched(ARGV[5], KEYS[5]) then
    tell(ARGV[5], KEYS[5], 'missed')
  end
end
if not latest and deleted < all then
  redis.call('SADD', KEYS[3], key)
else
  redis.call('SREM', KEYS[3], key)
end
return deleted
