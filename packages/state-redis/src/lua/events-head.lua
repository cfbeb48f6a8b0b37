#!lua flags=no-writes
-- The position after the newest event of a device.
--
-- KEYS  1 log of the device, a hash
-- Reply {epoch, offset}; {"-", "0"} where the device has no log.
--
-- One step. An epoch names the log and the life of the server: see events-read.lua.
local log = redis.call('HMGET', KEYS[1], 'epoch', 'offset')
if not log[1] then
  return { '-', '0' }
end
local info = redis.call('INFO', 'replication')
local _, at = string.find(info, 'master_replid:', 1, true)
return { log[1] .. '.' .. string.sub(info, at + 1, at + 10), log[2] or '0' }
