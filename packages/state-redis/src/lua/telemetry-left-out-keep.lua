#!lua
-- Keeps entries of a partition that the view could not take, because keys of another program are in the place of its own.
--
-- KEYS  1 what was left out, a stream
-- ARGV  1 about how many entries it keeps: the oldest go   2.. device id, records, when the points
--       leave the history or '', and name of the foreign key, by turns
-- Reply how many it has.
--
-- Atomic. Done again it keeps them twice, which changes nothing in the view.
for i = 2, #ARGV, 4 do
  local entry = { 'd', ARGV[i], 'm', ARGV[i + 1] }
  if ARGV[i + 2] ~= '' then
    entry[#entry + 1] = 'x'
    entry[#entry + 1] = ARGV[i + 2]
  end
  entry[#entry + 1] = 'k'
  entry[#entry + 1] = ARGV[i + 3]
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', unpack(entry))
end
return redis.call('XLEN', KEYS[1])
