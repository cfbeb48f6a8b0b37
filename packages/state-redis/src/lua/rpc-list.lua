#!lua flags=no-writes
-- A stretch of the persistent commands of a device, by creation.
-- KEYS  1 zset of the persistent ones (by creation)
-- ARGV  1 what the keys of the commands' hashes begin with: they are in the slot of KEYS[1]   2 ASC or DESC
--       3 how many to leave out   4 how many at the most
-- Reply {how many there are, for each of the stretch its fields as in rpc-create.lua}.
-- The hashes are known only by what the zset says, so their keys are made here.
local kept, first, most = KEYS[1], tonumber(ARGV[3]), tonumber(ARGV[4])
local ids = redis.call(ARGV[2] == 'ASC' and 'ZRANGE' or 'ZREVRANGE', kept, first, first + most - 1)
local found = {}
for _, id in ipairs(ids) do
  found[#found + 1] = redis.call('HMGET', ARGV[1] .. id, 'base', 'requestId', 'status', 'attempts', 'response',
    'responseIsJson', 'heldUntil')
end
return { redis.call('ZCARD', kept), found }
