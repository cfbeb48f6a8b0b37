#!lua
-- Changes a command from one of the named states, and wakes the device's waiters.
-- KEYS  1 hash of the command   2 zset of those in an open state (by the time they leave it)
--       3 zset of the pending ones (by expiration)   4 wake channel
--       5 zset of the persistent ones that are final (by request id)   6 zset of the persistent ones (by creation)
-- ARGV  1 id   2 name of this call   3 states it may be in: ',A,B,'   4 whether the new state is open, 1 or 0
--       5 whether the new state is final: four digits, for one-way * 2 + persistent   6 until when it stays among the open
--       ones where it is final, at the longest; '+inf' where nothing is said   7 whether the response goes, 1 or 0
--       8 PUBLISH or SPUBLISH   9 message   10 how many persistent ones that are final are kept
--       11... fields and values of the hash
-- Reply {'changed', fields..., ids...}: fields as in rpc-create.lua, and the ids of some that are final and beyond the number
--       of those kept, first created first; {'refused'}: another state, or fewer attempts than there were; {'absent'}: no such command.
-- One step. Run twice, the second finds its own name among those of the last changes, changes nothing, and replies the
-- command as it is by then. Whatever is written is in the place of something, but for the response and a few names.
local rpc, open, pending, channel, finished, kept = unpack(KEYS)
local id, call = ARGV[1], ARGV[2]

local MOST = 10
local function reply()
  local found = redis.call('HMGET', rpc, 'base', 'requestId', 'status', 'attempts', 'response', 'responseIsJson', 'heldUntil')
  table.insert(found, 1, 'changed')
  local beyond = redis.call('ZCARD', finished) - tonumber(ARGV[10])
  if beyond > 0 then
    for _, other in ipairs(redis.call('ZRANGE', finished, 0, math.min(beyond, MOST) - 1)) do found[#found + 1] = other end
  end
  return found
end

local base, status, changedBy, oneway, persistent, expires, requestId, attempts =
  unpack(redis.call('HMGET', rpc, 'base', 'status', 'changedBy', 'oneway', 'persistent', 'expires', 'requestId', 'attempts'))
local listed = redis.call('ZSCORE', open, id)
redis.call('ZSCORE', pending, id)
redis.call('ZSCORE', finished, id)
redis.call('ZSCORE', kept, id)
if not base then return { 'absent' } end
local names = { call }
for name in string.gmatch(changedBy or '', '%S+') do
  if name == call then return reply() end
  if #names < 4 then names[#names + 1] = name end
end
if not string.find(ARGV[3], ',' .. status .. ',', 1, true) then return { 'refused' } end
for field = 11, #ARGV, 2 do
  if ARGV[field] == 'attempts' and tonumber(ARGV[field + 1]) < tonumber(attempts) then return { 'refused' } end
end

redis.call('HSET', rpc, 'changedBy', table.concat(names, ' '), 'heldBy', '', unpack(ARGV, 11))
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
-- An earlier version did not list it when it created it.
local created = persistent == '1' and string.match(base, '"createdTime":(%d+)')
if created then redis.call('ZADD', kept, 'NX', created, id) end
if persistent == '1' and string.sub(ARGV[5], form + 1, form + 1) == '1' then
  redis.call('ZADD', finished, requestId, id)
end
redis.pcall(ARGV[8], channel, ARGV[9])
return reply()
