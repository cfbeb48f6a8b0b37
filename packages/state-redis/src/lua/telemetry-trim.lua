#!lua flags=allow-oom
-- Acknowledges entries for the materialiser, removes what all consumer groups of a partition have acknowledged, and ends
-- groups of other programs that hold the stream back and are not read from.
--
-- KEYS  1 stream of the partition   2 since when groups have been behind the materialiser's, a hash: group -> milliseconds
-- ARGV  1 the materialiser's group   2 milliseconds after which a group that holds back is ended   3.. ids to acknowledge
-- Reply 1 id of the newest entry the stream has ever had   2 its length   3 groups that were ended: name, entries it had
--       not acknowledged, by turns
--
-- Atomic; done again it changes nothing. Allowed when memory is full, since it makes room.
local stream, behind, own, ttl = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2])
if redis.call('EXISTS', stream) == 0 then
  return { '', 0, {} }
end
local fields = redis.call('HKEYS', behind)
for first = 3, #ARGV, 1000 do
  redis.call('XACK', stream, own, unpack(ARGV, first, math.min(first + 999, #ARGV)))
end

local function record(flat)
  local found = {}
  for i = 1, #flat, 2 do
    found[flat[i]] = flat[i + 1]
  end
  return found
end

local function parts(id)
  local time, sequence = string.match(id, '^(%d+)%-(%d+)$')
  return tonumber(time), tonumber(sequence)
end

local function isBefore(a, b)
  local timeA, sequenceA = parts(a)
  local timeB, sequenceB = parts(b)
  return timeA < timeB or (timeA == timeB and sequenceA < sequenceB)
end

-- The smallest id that the group has not acknowledged or may get yet.
local function bound(group)
  if group.pending > 0 then
    return redis.call('XPENDING', stream, group.name)[2]
  end
  local last = group['last-delivered-id']
  local time, sequence = string.match(last, '^(%d+)%-(%d+)$')
  -- Beyond that a number is not exact: one entry stays.
  if #sequence > 15 then
    return last
  end
  return time .. '-' .. string.format('%.0f', tonumber(sequence) + 1)
end

local function isRead(group)
  for _, flat in ipairs(redis.call('XINFO', 'CONSUMERS', stream, group.name)) do
    if record(flat).idle < ttl then
      return true
    end
  end
  return false
end

local groups, ours = {}, nil
for _, flat in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
  local group = record(flat)
  group.bound = bound(group)
  if group.name == own then
    ours = group.bound
  else
    groups[#groups + 1] = group
  end
end

local ended = {}
if ours then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local smallest, late = ours, {}
  for _, group in ipairs(groups) do
    local since = isBefore(group.bound, ours) and (redis.call('HGET', behind, group.name) or now)
    if since and now - since >= ttl and not isRead(group) then
      ended[#ended + 1] = group.name
      ended[#ended + 1] = group.pending + (group.lag or 0)
      redis.call('XGROUP', 'DESTROY', stream, group.name)
    elseif since then
      late[group.name] = true
      if since == now then
        redis.call('HSETNX', behind, group.name, string.format('%.0f', now))
      end
      if isBefore(group.bound, smallest) then
        smallest = group.bound
      end
    end
  end
  for _, name in ipairs(fields) do
    if not late[name] then
      redis.call('HDEL', behind, name)
    end
  end
  redis.call('XTRIM', stream, 'MINID', '=', smallest)
end
return { record(redis.call('XINFO', 'STREAM', stream))['last-generated-id'], redis.call('XLEN', stream), ended }
