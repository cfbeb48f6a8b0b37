#!lua flags=no-writes
-- What persistent commands of a device are found and sorted by, by creation, oldest first.
-- KEYS  1 zset of the persistent ones (by creation)
-- ARGV  1 what the keys of the commands' hashes begin with: they are in the slot of KEYS[1]   2 how many to leave out
--       3 how many at the most   4... fields of the hash
-- Reply for each {id, fields...}.
-- The hashes are known only by what the zset says, so their keys are made here.
local found = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], ARGV[2], ARGV[2] + ARGV[3] - 1)) do
  local row = redis.call('HMGET', ARGV[1] .. id, unpack(ARGV, 4))
  table.insert(row, 1, id)
  found[#found + 1] = row
end
return found
