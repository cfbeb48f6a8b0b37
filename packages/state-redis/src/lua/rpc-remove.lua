#!lua flags=allow-oom
-- Removes a command with all ways to it in the device's slot, and wakes the device's waiters.
-- KEYS  1 log hash of the device   2 hash of the command   3 zset of all commands   4 zset of those in an open state
--       5 zset of the pending ones   6 wake channel   7 zset of the persistent ones   8 zset of those of them that are final
-- ARGV  1 id   2 name of this call   3 PUBLISH or SPUBLISH   4 message
-- Reply the name of the call that registered it; nil: no such command.
-- One step. Run twice, the second finds its own name as that of the last removal and replies what the first did.
-- Also where Redis is out of memory: it makes room.
local log, rpc, rpcs, open, pending, channel, kept, finished = unpack(KEYS)
local id, call = ARGV[1], ARGV[2]

local epoch, removed = unpack(redis.call('HMGET', log, 'epoch', 'rpc-removed'))
local base, registration = unpack(redis.call('HMGET', rpc, 'base', 'registration'))
redis.call('ZSCORE', rpcs, id)
redis.call('ZSCORE', open, id)
redis.call('ZSCORE', pending, id)
redis.call('ZSCORE', kept, id)
redis.call('ZSCORE', finished, id)
if not base then
  local by, what = string.match(removed or '', '^(%S+) (%S+)$')
  return by == call and what
end

if epoch then redis.call('HSET', log, 'rpc-removed', call .. ' ' .. registration) end
redis.call('DEL', rpc)
redis.call('ZREM', rpcs, id)
redis.call('ZREM', open, id)
redis.call('ZREM', pending, id)
redis.call('ZREM', kept, id)
redis.call('ZREM', finished, id)
redis.pcall(ARGV[3], channel, ARGV[4])
return registration
