#!lua flags=allow-oom
-- Removes from histories of a device what is too old and what is too much.
--
-- KEYS  1 keys that have a history and no latest value, a set   2.. histories, sorted sets: '<ts> <value>' by ts
-- ARGV  1 from this ts on points stay, '-inf' for all   2 the newest points that stay, for each key   3.. the keys, in the
--       order of KEYS 2..
-- Reply points that were removed.
--
-- Atomic; done again it removes nothing more. What is of another type is of another program, and left alone. Allowed when
-- memory is full, since it makes room.
local function count(reply)
  return type(reply) == 'number' and reply or 0
end

local removed = 0
for i = 2, #KEYS do
  local history = KEYS[i]
  removed = removed + count(redis.pcall('ZREMRANGEBYSCORE', history, '-inf', '(' .. ARGV[1]))
  removed = removed + count(redis.pcall('ZREMRANGEBYRANK', history, 0, -1 - tonumber(ARGV[2])))
  if redis.call('EXISTS', history) == 0 then
    redis.pcall('SREM', KEYS[1], ARGV[i + 1])
  end
end
return removed
