#!lua flags=allow-oom
-- Says that a process can materialise, or no more, and counts those who can: the partitions are shared out among them.
--
-- KEYS  1 the processes, a sorted set by the time they were last heard of
-- ARGV  1 the process   2 milliseconds after which one that is not heard of is gone   3 'here' or 'gone'
-- Reply how many there are.
--
-- Atomic; done again it changes nothing but the time.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.0f', now - ARGV[2]))
if ARGV[3] == 'here' then
  redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
else
  redis.call('ZREM', KEYS[1], ARGV[1])
end
return redis.call('ZCARD', KEYS[1])
