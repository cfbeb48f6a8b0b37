#!lua flags=no-writes
-- A piece of the persistent commands of a device, in the order of their request ids.
-- KEYS  1 zset of all commands (by request id)
-- ARGV  1 what the keys of the commands' hashes begin with: they are in the slot of KEYS[1]
--       2 lower bound of the request ids, as ZRANGEBYSCORE takes it   3 how many commands to look at
-- Reply {request id of the last one looked at, nil where there are no more, for each its fields as in rpc-create.lua}.
-- The hashes are known only by what the zset says, so their keys are made here.
local looked = redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[2], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[3])
local found = {}
for i = 1, #looked, 2 do
  local key = ARGV[1] .. looked[i]
  if redis.call('HGET', key, 'persistent') == '1' then
    found[#found + 1] = redis.call('HMGET', key, 'base', 'requestId', 'status', 'attempts', 'response',
      'responseIsJson', 'heldUntil')
  end
end
return { #looked == 2 * tonumber(ARGV[3]) and looked[#looked], found }
