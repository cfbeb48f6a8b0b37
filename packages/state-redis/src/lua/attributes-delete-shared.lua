#!lua
-- Deletes shared attributes of a device, appends the change to its event log and wakes its waiters.
--
-- KEYS  1 log of the device, a hash   2 shared attributes, a hash   3 events, a stream   4 channel of the device
--       5 its feed, a channel
-- ARGV  1 name of this call   2 PUBLISH or SPUBLISH   3 the message   4 events that are kept   5 time stamp
--       6 the trace it is written in, or ''   7.. key and its JSON text of each attribute
-- Reply a JSON array of the keys that were there. Where none was, or the device has no log, nothing was written.
--
-- Atomic: a key of another type fails before anything is written. Done again right away, by the name of the call, it
-- replies the same and only wakes; after another change it finds none.
-- with feed
local log = redis.call('HMGET', KEYS[1], 'epoch', 'offset', 'op')
redis.call('HLEN', KEYS[2])
redis.call('XLEN', KEYS[3])
if not log[1] then
  return '[]'
end
if log[3] == ARGV[1] then
  redis.pcall(ARGV[2], KEYS[4], ARGV[3])
  return redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)[1][2][4]
end
local keys, names = {}, {}
for i = 7, #ARGV, 2 do
  if redis.call('HEXISTS', KEYS[2], ARGV[i]) == 1 then
    keys[#keys + 1] = ARGV[i]
    names[#names + 1] = ARGV[i + 1]
  end
end
local deleted = '[' .. table.concat(names, ',') .. ']'
if #keys == 0 then
  return deleted
end
local offset = string.format('%.0f', tonumber(log[2] or '0') + 1)
local trace = ARGV[6] ~= '' and { 'trace', ARGV[6] } or {}
redis.call('XADD', KEYS[3], 'MAXLEN', '=', ARGV[4], offset .. '-0', 'ts', ARGV[5], 'del', deleted, unpack(trace))
for first = 1, #keys, 1000 do
  redis.call('HDEL', KEYS[2], unpack(keys, first, math.min(first + 999, #keys)))
end
redis.call('HSET', KEYS[1], 'offset', offset, 'op', ARGV[1])
if isWatched(ARGV[2], KEYS[5]) then
  tell(ARGV[2], KEYS[5], 'd s ' .. ARGV[5] .. ' ' .. deleted)
end
redis.pcall(ARGV[2], KEYS[4], ARGV[3])
return deleted
