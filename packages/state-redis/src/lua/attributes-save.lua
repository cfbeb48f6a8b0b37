#!lua
-- Saves attributes of a scope that nobody waits for: CLIENT or SERVER. With no entries it only says whether the device is there.
--
-- KEYS  1 log of the device, a hash   2 attributes of the scope, a hash   3 feed of the device, a channel
-- ARGV  1 PUBLISH or SPUBLISH   2 letter of the scope   3.. key, "<time stamp> <value>" of each entry
-- Reply 1; 0 where the device has no log, and nothing was written.
--
-- Atomic; done again it writes the same, and tells it again.
-- with feed
if not redis.call('HGET', KEYS[1], 'epoch') then
  return 0
end
redis.call('HLEN', KEYS[2])
for first = 3, #ARGV, 1000 do
  redis.call('HSET', KEYS[2], unpack(ARGV, first, math.min(first + 999, #ARGV)))
end
if #ARGV > 2 and isWatched(ARGV[1], KEYS[3]) then
  tell(ARGV[1], KEYS[3], savedText(ARGV[2], ARGV, 3))
end
return 1
