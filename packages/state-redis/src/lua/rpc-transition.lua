#!lua
-- Changes a command from one of the named states, and wakes the device's waiters.
-- KEYS  1 hash of the command   2 zset of those in an open state (by the time they leave it)
--       3 zset of the pending ones (by expiration)   4 wake channel
-- ARGV  1 id   2 name of this call   3 states it may be in: ',A,B,'   4 whether the new state is open, 1 or 0
--       5 whether the new state is final: four digits, for one-way * 2 + persistent   6 until when it stays among the open
--       ones where it is final, at the longest; '+inf' where nothing is said   7 whether the response goes, 1 or 0
--       8 PUBLISH or SPUBLISH   9 message   10... fields and values of the hash
-- Reply {'changed', fields...} as in rpc-create.lua; {'refused'}: another state; {'absent'}: no such command.
-- One step. Run twice, the second finds its own name among those of the last changes, changes nothing, and replies the
-- command as it is by then. Whatever is written is in the place of something, but for the response and a few names.
local rpc, open, pending, channel = unpack(KEYS)
local id, call = ARGV[1], ARGV[2]

local function fields()
  return { 'changed', unpack(redis.call('HMGET', rpc, 'base', 'requestId', 'status', 'attempts', 'response',
    'responseIsJson', 'heldUntil')) }
end

local base, status, changedBy, oneway, persistent, expires =
  unpack(redis.call('HMGET', rpc, 'base', 'status', 'changedBy', 'oneway', 'persistent', 'expires'))
local listed = redis.call('ZSCORE', open, id)
redis.call('ZSCORE', pending, id)
if not base then return { 'absent' } end
local names = { call }
for name in string.gmatch(changedBy or '', '%S+') do
  if name == call then return fields() end
  if #names < 4 then names[#names + 1] = name end
end
if not string.find(ARGV[3], ',' .. status .. ',', 1, true) then return { 'refused' } end

redis.call('HSET', rpc, 'changedBy', table.concat(names, ' '), 'heldBy', '', unpack(ARGV, 10))
if ARGV[7] == '1' then redis.call('HDEL', rpc, 'response') end
local form = (oneway == '1' and 2 or 0) + (persistent == '1' and 1 or 0)
if ARGV[4] == '0' then
  redis.call('ZREM', open, id)
  redis.call('ZREM', pending, id)
elseif string.sub(ARGV[5], form + 1, form + 1) == '1' then
  if listed then redis.call('ZADD', open, 'LT', ARGV[6], id) end
  redis.call('ZREM', pending, id)
elseif listed and expires then
  redis.call('ZADD', open, expires, id)
  redis.call('ZADD', pending, expires, id)
end
redis.pcall(ARGV[8], channel, ARGV[9])
return fields()
