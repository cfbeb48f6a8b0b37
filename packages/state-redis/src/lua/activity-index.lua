#!lua
-- Changes when a device is looked at.
--
-- KEYS  1 index of the times to look, a sorted set
-- ARGV  touch <device> <due>: it is looked at then or before
--       move <device> <due before> <due>: then, or never where that is ''; nothing where it stands at another time by now
-- Reply 1 where it was changed, else 0.
--
-- A touch always changes the time, be it by a millisecond, so that a move that was decided before it does nothing. Atomic;
-- done again a touch makes the look a little earlier, a move nothing.
local score = redis.call('ZSCORE', KEYS[1], ARGV[2])
if ARGV[1] == 'touch' then
  local due = tonumber(ARGV[3])
  if score and tonumber(score) <= due then
    due = tonumber(score) - 1
  end
  redis.call('ZADD', KEYS[1], string.format('%.0f', due), ARGV[2])
  return 1
end
if not score or tonumber(score) ~= tonumber(ARGV[3]) then
  return 0
end
if ARGV[4] == '' then
  redis.call('ZREM', KEYS[1], ARGV[2])
else
  redis.call('ZADD', KEYS[1], ARGV[4], ARGV[2])
end
return 1
