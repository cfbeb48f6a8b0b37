#!lua
-- Creates a command of a device under the next request id, QUEUED, and wakes the device's waiters.
-- KEYS  1 log hash of the device   2 hash of the command   3 zset of all commands (by request id)
--       4 zset of those in an open state (by the time they leave it)   5 zset of those neither final nor lapsed (by expiration)
--       6 wake channel   7 zset of the persistent ones (by creation)
-- ARGV  1 id   2 base: the part that never changes, an opaque text   3 createdTime   4 expirationTime
--       5 one-way, 1 or 0   6 persistent, 1 or 0   7 most pending ones   8 name of this call   9 PUBLISH or SPUBLISH
--       10 message   11 method
-- Reply {'created' | 'there', fields...}: fields are base, requestId, status, attempts, response, responseIsJson,
--       heldUntil; {'taken'}: the id has another base; {'full'}; {'absent'}: no such device. Only 'created' changed
--       anything but the lists of what has lapsed.
-- One step. Run twice, the second finds the command of the first: 'there'. Reads every key before it writes.
-- What has lapsed is taken out of the lists a minute late: the clocks of other processes may be behind.
local log, rpc, rpcs, open, pending, channel, kept = unpack(KEYS)
local id, base, created, expiration = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local device = redis.call('HMGET', log, 'epoch', 'rpc-counter')
local stored = redis.call('HMGET', rpc, 'base', 'requestId', 'status', 'attempts', 'response', 'responseIsJson', 'heldUntil')
redis.call('ZSCORE', rpcs, id)
redis.call('ZSCORE', open, id)
redis.call('ZSCORE', kept, id)
local waiting = redis.call('ZCOUNT', pending, '(' .. created, '+inf')

if not device[1] then return { 'absent' } end
if stored[1] then
  if stored[1] ~= base then return { 'taken' } end
  return { 'there', unpack(stored) }
end
if redis.call('EXISTS', rpc) == 1 then
  return redis.error_reply('WRONGTYPE a hash that is not a command is in the place of one')
end
if waiting >= tonumber(ARGV[7]) then return { 'full' } end

local requestId = tonumber(device[2] or '0')
redis.call('HSET', rpc, 'base', base, 'requestId', requestId, 'status', 'QUEUED', 'attempts', 0, 'responseIsJson', 0,
  'heldUntil', 0, 'oneway', ARGV[5], 'persistent', ARGV[6], 'registration', ARGV[8], 'expires', expiration,
  'changedBy', '', 'heldBy', '', 'method', ARGV[11])
redis.call('HSET', log, 'rpc-counter', (requestId + 1) % 2147483648)
-- The first command of the device: there is none that an earlier version did not list. See rpc-relist.lua.
if not device[2] then redis.call('HSET', log, 'rpcs-listed', 1) end
redis.call('ZADD', rpcs, requestId, id)
local lapsed = string.format('%.0f', created - 60000)
redis.call('ZREMRANGEBYSCORE', open, '-inf', lapsed)
redis.call('ZREMRANGEBYSCORE', pending, '-inf', lapsed)
redis.call('ZADD', open, expiration, id)
redis.call('ZADD', pending, expiration, id)
if ARGV[6] == '1' then redis.call('ZADD', kept, created, id) end
redis.pcall(ARGV[9], channel, ARGV[10])
return { 'created', base, tostring(requestId), 'QUEUED', '0', false, '0', '0' }
