#!lua
-- A process says how far it has heard the stream of changes, to the registry and to whose changes it has heard.
--
-- KEYS  1 processes that hear changes, a hash   2.. channels, one of each process that is told
-- ARGV  1 id of the process   2 number of the entry that it heard last   3 PUBLISH or SPUBLISH
-- Reply OK.
--
-- A field of the hash is `<number> <when it was said, in milliseconds of the server>`. Who is killed leaves it behind: it
-- counts for some seconds (registry-commit.lua).
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], ARGV[1], string.format('%s %.0f', ARGV[2], time[1] * 1000 + math.floor(time[2] / 1000)))
for i = 2, #KEYS do
  redis.pcall(ARGV[3], KEYS[i], ARGV[1] .. ' ' .. ARGV[2])
end
return 'OK'
