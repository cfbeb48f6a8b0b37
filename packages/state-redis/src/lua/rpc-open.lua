#!lua flags=no-writes
-- The commands of a device that are in an open state and have not lapsed.
-- KEYS  1 zset of those in an open state (by expiration)
-- ARGV  1 what the keys of the commands' hashes begin with: they are in the slot of KEYS[1]   2 now
-- Reply for each its fields as in rpc-create.lua, in no particular order.
-- The hashes are known only by what the zset says, so their keys are made here.
local found = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[2], '+inf')) do
  local fields = redis.call('HMGET', ARGV[1] .. id, 'base', 'requestId', 'status', 'attempts', 'response',
    'responseIsJson', 'heldUntil')
  if fields[1] then found[#found + 1] = fields end
end
return found
