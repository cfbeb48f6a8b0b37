#!lua flags=allow-oom
-- Hands entries of a partition to the materialiser that has its lease: those that were handed out and not acknowledged,
-- or else new ones. Makes its consumer group where there is none, from the first entry on.
--
-- KEYS  1 stream of the partition   2 lease
-- ARGV  1 who asks   2 the group   3 its one consumer   4 entries at the most   5 bytes at the most, where it is not one
--       entry alone   6 bytes of the largest entry
-- Reply nil without the lease; else 1 the first 10 characters of master_replid: ids of another life of the server may be larger
--       (adr/0012)   2 entries as XREADGROUP has them: id, fields and values (nil where the entry is gone, or too large)
--       3 of those that are too large by turns: device and bytes   4 bytes of the others   5 1 where there are probably more,
--       else 0
--
-- Atomic. Done again before what it gave is acknowledged it gives the same: a call whose answer got lost, be it that of
-- another process or one that comes late, passes nothing over. What is behind an entry in hand must not get into the view
-- before it: the position there would be beyond it.
-- Also where a key of another type is in its place.
if redis.pcall('GET', KEYS[2]) ~= ARGV[1] then
  return false
end
local group = ARGV[2]

local function read(count, from)
  return redis.pcall('XREADGROUP', 'GROUP', group, ARGV[3], 'COUNT', count, 'STREAMS', KEYS[1], from)
end

local function size(entry)
  local bytes = 0
  for _, text in ipairs(entry[2] or {}) do
    bytes = bytes + #text
  end
  return bytes
end

local entries, bytes, tooLarge = {}, 0, {}
local most, limit, largest = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])

-- Whether all of them go along.
local function take(got)
  for _, entry in ipairs(got) do
    local own = size(entry)
    if own > largest then
      tooLarge[#tooLarge + 1] = entry[2][2]
      tooLarge[#tooLarge + 1] = own
      entry, own = { entry[1], false }, 0
    end
    if bytes > 0 and bytes + own > limit then
      return false
    end
    entries[#entries + 1] = entry
    bytes = bytes + own
  end
  return true
end

-- Takes what there is from an id on, or of what is new; an error or whether there are probably more.
local function fill(from)
  -- Messages may be large: one at first, then as many again as there are.
  local count = 1
  while #entries < most and bytes < limit do
    local reply = read(count, from)
    if type(reply) == 'table' and reply.err then
      if string.sub(reply.err, 1, 7) ~= 'NOGROUP' then
        return reply
      end
      redis.call('XGROUP', 'CREATE', KEYS[1], group, '0', 'MKSTREAM')
      reply = read(count, from)
    end
    local got = reply and reply[1] and reply[1][2] or {}
    if not take(got) then
      return true
    end
    if #got < count then
      return false
    end
    if from ~= '>' then
      from = got[#got][1]
    end
    count = math.min(#entries, most - #entries)
  end
  return true
end

local more = fill('0')
if #entries > 0 then
  more = true
elseif not more then
  more = fill('>')
end
if type(more) == 'table' then
  return more
end
local info = redis.call('INFO', 'replication')
local _, at = string.find(info, 'master_replid:', 1, true)
return { string.sub(info, at + 1, at + 10), entries, tooLarge, bytes, more and 1 or 0 }
