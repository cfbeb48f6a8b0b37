#!lua
-- Begins the event log of a device that the registry has.
--
-- A device that is made again has `born` in its log: when its former life ended, milliseconds. What came before is not of
-- this one.
--
-- KEYS  1 log of the device, a hash
-- ARGV  1 epoch of the log, as the registry has it
-- Reply BEGUN; THERE where the log has this epoch or another one already; GONE where the device of this epoch was deleted.
--
-- Atomic; done again it changes nothing.
if redis.call('HGET', KEYS[1], 'epoch') then
  return 'THERE'
end
if redis.call('HGET', KEYS[1], 'gone') == ARGV[1] then
  return 'GONE'
end
local ended = redis.call('HGET', KEYS[1], 'ended')
redis.call('HSET', KEYS[1], 'epoch', ARGV[1])
if ended then
  redis.call('HSET', KEYS[1], 'born', ended)
end
redis.call('HDEL', KEYS[1], 'gone', 'ended')
redis.call('PERSIST', KEYS[1])
return 'BEGUN'
