#!lua flags=no-writes
-- A step over all devices, and of what it comes by those of a profile.
--
-- KEYS  1 devices, a hash: id -> '<profile id> <JSON>'   2 profiles, a hash
-- ARGV  1 id of the profile   2 cursor, empty to begin with   3 how many devices to look at, about
-- Reply {cursor of the next step, empty at the end; the profile or nil; a device; a device; ...}
--
-- A cursor is '<replication id, 10 characters>.<cursor of HSCAN>': on another server the order is another one, so there it
-- begins anew.
local server = string.sub(string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)'), 1, 10)
local at = string.match(ARGV[2], '^' .. server .. '%.(%d+)$') or '0'
local scanned = redis.call('HSCAN', KEYS[1], at, 'COUNT', ARGV[3])
local head = ARGV[1] .. ' '
local found = { scanned[1] == '0' and '' or server .. '.' .. scanned[1], redis.call('HGET', KEYS[2], ARGV[1]) }
for i = 2, #scanned[2], 2 do
  local text = scanned[2][i]
  if string.sub(text, 1, #head) == head then
    found[#found + 1] = text
  end
end
return found
