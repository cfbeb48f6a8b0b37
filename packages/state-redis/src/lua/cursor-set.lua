#!lua
-- Keeps the position at which a poll ended. It does not move back within an epoch until it has lapsed.
--
-- KEYS  1 log of the device, a hash
-- ARGV  1 epoch   2 offset of the position   3 now   4 how long it is kept, both in milliseconds
-- Reply 1; 0 where the position is not one of this log, and nothing was written.
--
-- Atomic; done again it writes the same. An epoch names the log and the life of the server: see events-read.lua.
local log = redis.call('HMGET', KEYS[1], 'epoch', 'cursor')
if not log[1] then
  return 0
end
local info = redis.call('INFO', 'replication')
local _, at = string.find(info, 'master_replid:', 1, true)
if ARGV[1] ~= log[1] .. '.' .. string.sub(info, at + 1, at + 10) then
  return 0
end
local offset, now = tonumber(ARGV[2]), tonumber(ARGV[3])
local expiry = now + tonumber(ARGV[4])
local epoch, keptOffset, keptExpiry = string.match(log[2] or '', '^(%S+) (%d+) (%d+)$')
if epoch == ARGV[1] and tonumber(keptExpiry) > now and tonumber(keptOffset) > offset then
  offset = tonumber(keptOffset)
  expiry = math.max(expiry, tonumber(keptExpiry))
end
redis.call('HSET', KEYS[1], 'cursor', string.format('%s %.0f %.0f', ARGV[1], offset, expiry))
return 1
