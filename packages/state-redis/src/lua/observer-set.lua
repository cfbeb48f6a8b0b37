#!lua
-- Makes an observation the one of its kind and wakes the one before it.
--
-- KEYS  1 log of the device, a hash   2 channel of the device
-- ARGV  1 attributes or rpc   2 name of the observation   3 PUBLISH or SPUBLISH   4 the message
-- Reply 1; 0 where the device has no log, and nothing was written.
--
-- Atomic. Done again after another observation came, it takes the place of that one: the name counts that was set last.
if not redis.call('HGET', KEYS[1], 'epoch') then
  return 0
end
redis.call('HSET', KEYS[1], 'observer:' .. ARGV[1], ARGV[2])
redis.pcall(ARGV[3], KEYS[2], ARGV[4])
return 1
