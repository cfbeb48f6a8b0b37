#!lua flags=allow-oom
-- Removes points of a device whose own time is over.
--
-- KEYS  1 when points leave the history, a sorted set: '<ts> <key>' by that time, ms   2.. histories, sorted sets:
--       '<ts> <value>' by ts
-- ARGV  1 now, ms   then for each of KEYS 2..: ts of the point, its member of KEYS 1
-- Reply points that were removed.
--
-- Atomic; done again it removes nothing more: what was written again meanwhile, and stays, is not a member any more, or one
-- of a later time. A history of another type is of another program, and left alone. Allowed when memory is full, since it
-- makes room.
local removed = 0
for i = 2, #KEYS do
  local ts, member = ARGV[2 * i - 2], ARGV[2 * i - 1]
  local over = tonumber(redis.call('ZSCORE', KEYS[1], member) or '')
  if over and over <= tonumber(ARGV[1]) then
    local reply = redis.pcall('ZREMRANGEBYSCORE', KEYS[i], ts, ts)
    removed = removed + (type(reply) == 'number' and reply or 0)
    redis.call('ZREM', KEYS[1], member)
  end
end
return removed
