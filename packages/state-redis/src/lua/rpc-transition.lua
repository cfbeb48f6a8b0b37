#!lua
-- Changes a command from one of the named states, and wakes the device's waiters.
-- KEYS  1 hash of the command   2 zset of those in an open state   3 zset of the pending ones   4 wake channel
-- ARGV  1 id   2 name of this call   3 states it may be in: ',A,B,'   4 whether the new state is open, 1 or 0
--       5 whether the new state is final: four digits, for one-way * 2 + persistent   6 whether the response goes, 1 or 0
--       7 PUBLISH or SPUBLISH   8 message   9... fields and values of the hash
-- Reply {'changed', fields...} as in rpc-create.lua; {'refused'}: another state; {'absent'}: no such command.
-- One step. Run twice, the second finds its own name as that of the last change and replies what the first did.
local rpc, open, pending, channel = unpack(KEYS)
local id, call = ARGV[1], ARGV[2]

local function fields()
  return { 'changed', unpack(redis.call('HMGET', rpc, 'base', 'requestId', 'status', 'attempts', 'response',
    'responseIsJson', 'heldUntil')) }
end

local base, status, changedBy, oneway, persistent =
  unpack(redis.call('HMGET', rpc, 'base', 'status', 'changedBy', 'oneway', 'persistent'))
local expiration = redis.call('ZSCORE', open, id)
redis.call('ZSCORE', pending, id)
if not base then return { 'absent' } end
if changedBy == call then return fields() end
if not string.find(ARGV[3], ',' .. status .. ',', 1, true) then return { 'refused' } end

redis.call('HSET', rpc, 'changedBy', call, unpack(ARGV, 9))
if ARGV[6] == '1' then redis.call('HDEL', rpc, 'response') end
local form = (oneway == '1' and 2 or 0) + (persistent == '1' and 1 or 0)
if ARGV[4] == '0' then redis.call('ZREM', open, id) end
if ARGV[4] == '0' or string.sub(ARGV[5], form + 1, form + 1) == '1' then
  redis.call('ZREM', pending, id)
elseif expiration then
  redis.call('ZADD', pending, expiration, id)
end
redis.call(ARGV[7], channel, ARGV[8])
return fields()
