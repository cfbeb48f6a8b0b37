#!lua flags=no-writes
-- The commands of a device that are in an open state and have not lapsed: the pending ones, and of the others, which are
-- final, those that were created last.
-- KEYS  1 zset of those in an open state (by the time they leave it)   2 zset of the pending ones (by expiration)
--       3 zset of all commands (by request id)
-- ARGV  1 what the keys of the commands' hashes begin with: they are in the slot of KEYS[1]   2 now   3 how many at the most
-- Reply for each its fields as in rpc-create.lua, in no particular order.
-- The hashes are known only by what the zsets say, so their keys are made here.
local open, pending, all = unpack(KEYS)
local after, most = '(' .. ARGV[2], tonumber(ARGV[3])

local function latest()
  local ids, there = redis.call('ZRANGEBYSCORE', pending, after, '+inf', 'LIMIT', 0, most), {}
  for _, id in ipairs(ids) do there[id] = true end
  for _, id in ipairs(redis.call('ZREVRANGE', all, 0, most - 1)) do
    if #ids == most then break end
    local ends = not there[id] and redis.call('ZSCORE', open, id)
    if ends and tonumber(ends) > tonumber(ARGV[2]) then ids[#ids + 1] = id end
  end
  return ids
end

local found = {}
local ids = redis.call('ZCOUNT', open, after, '+inf') > most and latest()
  or redis.call('ZRANGEBYSCORE', open, after, '+inf')
for _, id in ipairs(ids) do
  local fields = redis.call('HMGET', ARGV[1] .. id, 'base', 'requestId', 'status', 'attempts', 'response',
    'responseIsJson', 'heldUntil')
  if fields[1] then found[#found + 1] = fields end
end
return found
