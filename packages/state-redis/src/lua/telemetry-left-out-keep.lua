#!lua
-- Keeps entries of a partition that the view could not take, because keys of another program are in the place of its own.
--
-- KEYS  1 what was left out, a stream
-- ARGV  1 about how many entries it keeps: the oldest go   2.. device id, records and name of the foreign key, by turns
-- Reply how many it has.
--
-- Atomic. Done again it keeps them twice, which changes nothing in the view.
for i = 2, #ARGV, 3 do
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'd', ARGV[i], 'm', ARGV[i + 1], 'k', ARGV[i + 2])
end
return redis.call('XLEN', KEYS[1])
