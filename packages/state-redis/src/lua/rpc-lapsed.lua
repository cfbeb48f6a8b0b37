#!lua flags=no-writes
-- The ids of commands of all devices whose time in a list is before another, earliest first, and where they are.
-- KEYS  1 zset of the ids (by time)   2 hash: id -> '<device> <call that registered it> <time of Redis, ms>'
-- ARGV  1 the time   2 how many to leave out   3 how many at the most
-- Reply {id, registration or nil, id, ...}
local found = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[1], 'LIMIT', ARGV[2], ARGV[3])) do
  found[#found + 1] = id
  found[#found + 1] = redis.call('HGET', KEYS[2], id)
end
return found
