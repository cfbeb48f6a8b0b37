#!lua flags=no-writes
-- All shared attributes of a device, and the position in its event log that they belong to.
--
-- KEYS  1 log of the device, a hash   2 shared attributes, a hash
-- Reply {epoch, offset, {key, "<time stamp> <value>", ...}}; the epoch is "-" where the device has no log.
--
-- One step. An epoch names the log and the life of the server: see events-read.lua.
local log = redis.call('HMGET', KEYS[1], 'epoch', 'offset')
local attributes = redis.call('HGETALL', KEYS[2])
if not log[1] then
  return { '-', '0', attributes }
end
local info = redis.call('INFO', 'replication')
local _, at = string.find(info, 'master_replid:', 1, true)
return { log[1] .. '.' .. string.sub(info, at + 1, at + 10), log[2] or '0', attributes }
