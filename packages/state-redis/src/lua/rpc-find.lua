#!lua flags=no-writes
-- The command of a device with a request id.
-- KEYS  1 zset of all commands (by request id)
-- ARGV  1 what the keys of the commands' hashes begin with: they are in the slot of KEYS[1]   2 request id
-- Reply its fields as in rpc-create.lua; nil: none.
-- The hash is known only by what the zset says, so its key is made here.
local id = redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[2], ARGV[2], 'LIMIT', 0, 1)[1]
if not id then return false end
return redis.call('HMGET', ARGV[1] .. id, 'base', 'requestId', 'status', 'attempts', 'response', 'responseIsJson',
  'heldUntil')
