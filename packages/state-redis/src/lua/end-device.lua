#!lua flags=allow-oom
-- Ends the event log of a device that the registry has no more. From then on every script that writes for the device
-- finds it absent. What is left is a tombstone, which keeps a straggler from beginning the log again: `gone` = the epoch of
-- the log, `ended` = when it was ended, milliseconds.
--
-- KEYS  1 log of the device, a hash   2 its RPCs by request id, a sorted set
-- ARGV  1 epoch of the log that ends   2 milliseconds that the tombstone is kept   3 first RPC to be named   4 the last
-- Reply nil where the log is one of another epoch, which is left alone; else the ids of the RPCs from the first to the last.
--
-- Atomic; done again it only keeps the tombstone for longer. Allowed when memory is full, since it makes room.
local ids = redis.call('ZRANGE', KEYS[2], ARGV[3], ARGV[4])
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if epoch and epoch ~= ARGV[1] then
  return false
end
if epoch then
  redis.call('UNLINK', KEYS[1])
end
if redis.call('HGET', KEYS[1], 'gone') ~= ARGV[1] then
  local now = redis.call('TIME')
  local ended = string.format('%.0f', tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000))
  redis.call('HSET', KEYS[1], 'gone', ARGV[1], 'ended', ended)
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return ids
