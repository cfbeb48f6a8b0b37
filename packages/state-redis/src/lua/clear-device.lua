#!lua flags=allow-oom
-- Removes keys of a device whose log has ended.
--
-- KEYS  1 log of the device, a hash   2.. what is removed
-- ARGV  1 epoch of the log that ended   2.. the type of each of KEYS 2..
-- Reply nil where the log is another one by now, and nothing was removed; else how many keys of another type, so of another
--       program, were left alone.
--
-- Atomic; done again it changes nothing. Memory is freed by another thread.
if redis.call('HGET', KEYS[1], 'gone') ~= ARGV[1] then
  return false
end
local foreign = 0
for i = 2, #KEYS do
  local kind = redis.call('TYPE', KEYS[i]).ok
  if kind == ARGV[i] then
    redis.call('UNLINK', KEYS[i])
  elseif kind ~= 'none' then
    foreign = foreign + 1
  end
end
return foreign
