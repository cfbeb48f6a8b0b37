#!lua flags=no-writes
-- The events of a device after a position, or all there are where the log does not reach the position.
--
-- KEYS  1 log of the device, a hash   2 events, a stream whose ids are "<offset>-0", one after the other
-- ARGV  1 epoch   2 offset of the position   3 most events
-- Reply {'events' | 'gap', epoch, offset of the head, {{id, {'ts', time stamp, 'set' | 'del', text}}, ...}}
--
-- One step. An epoch names the log and the life of the server: a server that starts, or takes the place of another one,
-- has a replication id of its own. It may have lost the last writes and use their offsets again, so that a position of its
-- predecessor says nothing.
local log = redis.call('HMGET', KEYS[1], 'epoch', 'offset')
local kept = redis.call('XLEN', KEYS[2])
local epoch, head = '-', 0
if log[1] then
  local info = redis.call('INFO', 'replication')
  local _, at = string.find(info, 'master_replid:', 1, true)
  epoch, head = log[1] .. '.' .. string.sub(info, at + 1, at + 10), tonumber(log[2] or '0')
end
local after, limit = tonumber(ARGV[2]), tonumber(ARGV[3])
local reached = ARGV[1] == epoch and after <= head and head - after <= kept
if reached then
  local events = {}
  if after < head and limit > 0 then
    local first = string.format('%.0f-0', after + 1)
    events = redis.call('XRANGE', KEYS[2], first, '+', 'COUNT', ARGV[3])
    reached = events[1] ~= nil and events[1][1] == first
  end
  if reached then
    return { 'events', epoch, string.format('%.0f', head), events }
  end
end
local all = head > 0 and redis.call('XRANGE', KEYS[2], '-', '+') or {}
return { 'gap', epoch, string.format('%.0f', head), all }
