#!lua
-- Saves an attribute of the SERVER scope unless there is one of this key.
--
-- KEYS  1 log of the device, a hash   2 attributes of the scope, a hash   3 feed of the device, a channel
-- ARGV  1 name of this call   2 PUBLISH or SPUBLISH   3 letter of the scope   4 key   5 "<time stamp> <value>"
-- Reply 1; 2 where there is one, and 0 where the device has no log: nothing was written.
--
-- Atomic. Done again, by the name of the call, it replies the same and writes nothing; once another such call has saved
-- something of the device it replies 2.
-- with feed
local log = redis.call('HMGET', KEYS[1], 'epoch', 'absent')
if not log[1] then
  return 0
end
if log[2] == ARGV[1] then
  return 1
end
if redis.call('HSETNX', KEYS[2], ARGV[4], ARGV[5]) == 0 then
  return 2
end
redis.call('HSET', KEYS[1], 'absent', ARGV[1])
if isWatched(ARGV[2], KEYS[3]) then
  tell(ARGV[2], KEYS[3], savedText(ARGV[3], ARGV, 4))
end
return 1
