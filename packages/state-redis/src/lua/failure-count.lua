#!lua
-- Counts failures of one subject, and locks it when they are too many.
-- KEYS  1 hash of the subject: `count`, `until` = when the failures are forgotten or the lock ends, `locked` = 1 for a lock
-- ARGV  1 look, fail or succeed   2 now, ms; for fail also   3 failures that lock   4 how long failures count, ms
--       5 how long a lock lasts, ms
-- Reply how long the subject is still locked, ms; 0 when it is not.
-- One step. Run twice it counts twice: a lock may come early, never late.
local key, what, now = KEYS[1], ARGV[1], tonumber(ARGV[2])
local count, ends, locked = unpack(redis.call('HMGET', key, 'count', 'until', 'locked'))
count, ends = tonumber(count or 0), tonumber(ends or 0)

if what == 'succeed' then
  if not locked then redis.call('UNLINK', key) end
  return 0
end
if ends <= now then
  count, locked = 0, false
end
if locked then return ends - now end
if what == 'look' then return 0 end

count = count + 1
local lock = count >= tonumber(ARGV[3])
local lasts = tonumber(lock and ARGV[5] or ARGV[4])
redis.call('DEL', key)
redis.call('HSET', key, 'count', count, 'until', string.format('%.0f', now + lasts))
if lock then redis.call('HSET', key, 'locked', 1) end
redis.call('PEXPIRE', key, string.format('%.0f', lasts))
return lock and lasts or 0
