#!lua flags=allow-oom
-- Takes, keeps or gives back the lease of a partition: the right to hand its new entries to the materialiser.
--
-- KEYS  1 lease, a string: who has it
-- ARGV  1 who asks   2 milliseconds it lasts   3 'take', 'keep' or 'free'
-- Reply 1 where the caller has it from now on, else 0; -1 where a key of another type is in its place.
--
-- Atomic; done again it changes nothing but the end of the lease. Allowed when memory is full: taking entries makes room.
local owner = redis.pcall('GET', KEYS[1])
if type(owner) == 'table' and owner.err then
  return string.sub(owner.err, 1, 9) == 'WRONGTYPE' and -1 or owner
end
if owner == ARGV[1] then
  if ARGV[3] == 'free' then
    redis.call('DEL', KEYS[1])
    return 0
  end
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return 1
end
if owner or ARGV[3] ~= 'take' then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2], 'NX')
return 1
