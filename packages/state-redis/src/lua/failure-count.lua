#!lua
-- Counts failures of one subject, and locks it when they are too many.
-- KEYS  1 hash of the subject: `count`, `until` = when the failures are forgotten or the lock ends, `locked` = 1 for a lock,
--       `tries` = those under way, of which it is not known yet whether they fail
-- ARGV  1 look, attempt, give-back, fail or succeed   2 now, ms; for attempt and fail also   3 failures that lock
--       4 how long failures count, ms; for fail also   5 how long a lock lasts, ms   6 1 where a try ends with it
-- Reply how long the subject is still locked, ms; 0 when it is not; -1 for an attempt where all tries are under way.
-- One step. Run twice it counts twice: a lock may come early, never late.
local key, what, now = KEYS[1], ARGV[1], tonumber(ARGV[2])
local count, ends, locked, tries = unpack(redis.call('HMGET', key, 'count', 'until', 'locked', 'tries'))
count, ends, tries = tonumber(count or 0), tonumber(ends or 0), tonumber(tries or 0)

if what == 'succeed' then
  if not locked then redis.call('UNLINK', key) end
  return 0
end
local over = ends <= now
if over then
  count, locked, tries = 0, false, 0
end
if locked then return ends - now end
if what == 'look' then return 0 end

if what == 'attempt' then
  if count + tries >= tonumber(ARGV[3]) then return -1 end
  if over then
    redis.call('DEL', key)
    redis.call('HSET', key, 'until', string.format('%.0f', now + tonumber(ARGV[4])))
    redis.call('PEXPIRE', key, ARGV[4])
  end
  redis.call('HSET', key, 'tries', tries + 1)
  return 0
end
if what == 'give-back' then
  if tries == 0 then return 0 end
  if count + tries == 1 then redis.call('UNLINK', key) else redis.call('HSET', key, 'tries', tries - 1) end
  return 0
end

count, tries = count + 1, math.max(tries - tonumber(ARGV[6]), 0)
local lock = count >= tonumber(ARGV[3])
local lasts = tonumber(lock and ARGV[5] or ARGV[4])
redis.call('DEL', key)
redis.call('HSET', key, 'count', count, 'until', string.format('%.0f', now + lasts), 'tries', tries)
if lock then redis.call('HSET', key, 'locked', 1) end
redis.call('PEXPIRE', key, string.format('%.0f', lasts))
return lock and lasts or 0
