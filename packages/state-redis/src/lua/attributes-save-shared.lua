#!lua
-- Saves shared attributes of a device, appends the change to its event log and wakes its waiters.
--
-- KEYS  1 log of the device, a hash   2 shared attributes, a hash   3 events, a stream   4 channel of the device
--       5 its feed, a channel
-- ARGV  1 name of this call   2 PUBLISH or SPUBLISH   3 the message   4 events that are kept   5 time stamp
--       6 the trace it is written in, or ''   7 the entries as the event has them, an opaque text
--       8.. key, "<time stamp> <value>" of each entry
-- Reply 1; 0 where the device has no log, and nothing was written.
--
-- Atomic: a key of another type fails before anything is written. Done again right away, by the name of the call, it only
-- wakes; done again after another change, it is one more change.
-- with feed
local log = redis.call('HMGET', KEYS[1], 'epoch', 'offset', 'op')
redis.call('HLEN', KEYS[2])
local kept = redis.call('XLEN', KEYS[3])
if not log[1] then
  return 0
end
if log[3] ~= ARGV[1] then
  if not log[2] and kept > 0 then
    redis.call('DEL', KEYS[3]) -- events of a log that is gone
  end
  local offset = string.format('%.0f', tonumber(log[2] or '0') + 1)
  local trace = ARGV[6] ~= '' and { 'trace', ARGV[6] } or {}
  redis.call('XADD', KEYS[3], 'MAXLEN', '=', ARGV[4], offset .. '-0', 'ts', ARGV[5], 'set', ARGV[7], unpack(trace))
  for first = 8, #ARGV, 1000 do
    redis.call('HSET', KEYS[2], unpack(ARGV, first, math.min(first + 999, #ARGV)))
  end
  redis.call('HSET', KEYS[1], 'offset', offset, 'op', ARGV[1])
  if isWatched(ARGV[2], KEYS[5]) then
    tell(ARGV[2], KEYS[5], 's s ' .. ARGV[5] .. ' ' .. ARGV[7])
  end
end
redis.pcall(ARGV[2], KEYS[4], ARGV[3])
return 1
