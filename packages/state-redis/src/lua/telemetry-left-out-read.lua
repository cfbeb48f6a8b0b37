#!lua flags=no-writes
-- Reads what was left out of the view, for the materialiser that has the lease of the partition.
--
-- KEYS  1 what was left out, a stream   2 lease
-- ARGV  1 who asks   2 where to begin, as XREVRANGE has it   3 entries at the most   4 bytes after which no more are added
-- Reply nil without the lease; 'foreign' where a key of another type is in the place of KEYS 1; else entries: id, fields and values; the newest first.
--
-- One read.
if redis.pcall('GET', KEYS[2]) ~= ARGV[1] then
  return false
end
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'stream' and kind ~= 'none' then
  return 'foreign'
end
local entries, bytes, from = {}, 0, ARGV[2]
local most, limit = tonumber(ARGV[3]), tonumber(ARGV[4])
-- Messages may be large: one at first, then as many again as there are.
local count = 1
while count > 0 and bytes < limit do
  local got = redis.call('XREVRANGE', KEYS[1], from, '-', 'COUNT', count)
  for _, entry in ipairs(got) do
    entries[#entries + 1] = entry
    for _, text in ipairs(entry[2]) do
      bytes = bytes + #text
    end
  end
  if #got < count then
    break
  end
  from = '(' .. got[#got][1]
  count = math.min(#entries, most - #entries)
end
return entries
