#!lua
-- Puts what a device has sent into the view: latest values and history.
--
-- KEYS  1 log of the device, a hash   2 what the view knows of the device, a hash: `applied` = '<life> <id>' of the last entry
--       it has: ids can be compared within one life of a stream only
--       3 latest values, a hash: key -> '<ts> <value>'   4 keys that have a history and no latest value, a set
--       5 when points leave the history, a sorted set: '<ts> <key>' by that time; of no points where they stay
--       6.. history of each telemetry key, a sorted set: '<ts> <value>' by ts
-- ARGV  1 id of the first entry   2 of the last one   3 points kept for each key   4 'log', or 'again' for entries that were
--       left out before: `applied` is neither looked at nor moved, and of two values of one time the stored one stays
--       5 life of the stream: its partition and its server   6 PUBLISH or SPUBLISH   7 feed of the device, a channel
--       8 1 with the messages at the end, else 0   9 keys that a device may have   10 points that leave the history
--       then for each telemetry key of KEYS 6..: the key, the number of its points, and for each point, by growing ts,
--       ts and '<ts> <value>'; then for each point that leaves the history: when, and '<ts> <key>'; then, for the feed, what
--       each entry has in its field m
-- Reply 1 'applied'; 'watched' where somebody watches the device and the messages were left out, and nothing was written;
--       'absent' where the log has no epoch, and nothing was written; 'foreign' where keys have another type,
--       and nothing was written; 'born' where the first entry is of a former life of the device, and nothing was written;
--       else the id in `applied`, where that is not before the first entry: what follows it has to
--       be sent by itself, where it is not all of it   2.. with 'foreign' the numbers of those keys in KEYS; with
--       'born' the milliseconds of the first id that may be of this life; with 'applied' 1 where the device is watched, else
--       0, and how many points were passed over because the device has all the keys it may have
--
-- Atomic; all types are looked at before the first write. Done again it changes nothing, whoever does it.
-- with feed
local FOREIGN = {}

-- What is read, or FOREIGN where the key has another type.
local function look(...)
  local reply = redis.pcall(...)
  if type(reply) ~= 'table' or not reply.err then
    return reply
  end
  if string.sub(reply.err, 1, 9) ~= 'WRONGTYPE' then
    error(reply.err)
  end
  return FOREIGN
end

local again = ARGV[4] == 'again'
local epoch = look('HGET', KEYS[1], 'epoch')
local applied = look('HGET', KEYS[2], 'applied')
local listed, unlisted, expiring = look('HLEN', KEYS[3]), look('SCARD', KEYS[4]), look('ZCARD', KEYS[5])
for i, reply in ipairs({ epoch, applied, listed, unlisted, expiring }) do
  if reply == FOREIGN then
    return { 'foreign', i }
  end
end
if not epoch then
  return { 'absent' }
end

-- A device that was made again does not get what its former life left in the log.
local born = tonumber(redis.call('HGET', KEYS[1], 'born') or '')
if born and tonumber(string.match(ARGV[1], '^%d+')) < born then
  return { 'born', born }
end

local function isBefore(a, b)
  local timeA, sequenceA = string.match(a, '^(%d+)%-(%d+)$')
  local timeB, sequenceB = string.match(b, '^(%d+)%-(%d+)$')
  timeA, timeB = tonumber(timeA), tonumber(timeB)
  return timeA < timeB or (timeA == timeB and tonumber(sequenceA) < tonumber(sequenceB))
end

local life, id = string.match(applied or '', '^(%S+) (%d+%-%d+)$')
if not again and life == ARGV[5] and not isBefore(id, ARGV[1]) then
  -- A write, so that a WAIT behind it stands for what another call has written.
  redis.call('HSET', KEYS[2], 'applied', applied)
  return { id }
end

local series, foreign, at = {}, { 'foreign' }, 11
local keys, refused = listed + unlisted, 0
-- Keys beyond those that the device may have.
local beyond = {}
for i = 6, #KEYS do
  local key, count = ARGV[at], tonumber(ARGV[at + 1])
  local stored = redis.call('HGET', KEYS[3], key)
  local isNew = not stored and (unlisted == 0 or redis.call('SISMEMBER', KEYS[4], key) == 0)
  local top = look('ZREVRANGE', KEYS[i], 0, 0, 'WITHSCORES')
  local first, last = at + 2, at + 2 * count
  if top == FOREIGN then
    foreign[#foreign + 1] = i
  elseif isNew and keys >= tonumber(ARGV[9]) then
    refused = refused + count
    beyond[key] = true
  else
    keys = keys + (isNew and 1 or 0)
    local known, newest = stored and tonumber(string.match(stored, '^%S*')), tonumber(ARGV[last])
    series[#series + 1] = {
      history = KEYS[i],
      key = key,
      first = first,
      last = last + 1,
      latest = not known or known < newest or (known == newest and not again),
      newest = top[2] and tonumber(top[2]),
    }
  end
  at = last + 2
end
if #foreign > 1 then
  return foreign
end

local watched = isWatched(ARGV[6], ARGV[7])
if watched and not again and ARGV[8] ~= '1' then
  return { 'watched' }
end
-- Members of KEYS 5 whose points are not written.
local left = {}

-- The points that are to be added, after those were removed whose time they have.
local function pointsOf(one)
  local points = {}
  for i = one.first, one.last, 2 do
    local meets = one.newest and tonumber(ARGV[i]) <= one.newest
    local stays = meets and again and redis.call('ZCOUNT', one.history, ARGV[i], ARGV[i]) > 0
    if meets and not again then
      redis.call('ZREMRANGEBYSCORE', one.history, ARGV[i], ARGV[i])
    end
    if stays then
      left[ARGV[i] .. ' ' .. one.key] = true
    else
      points[#points + 1] = ARGV[i]
      points[#points + 1] = ARGV[i + 1]
      if expiring > 0 then
        redis.call('ZREM', KEYS[5], ARGV[i] .. ' ' .. one.key)
      end
    end
  end
  return points
end

if not again then
  redis.call('HSET', KEYS[2], 'applied', ARGV[5] .. ' ' .. ARGV[2])
end
for _, one in ipairs(series) do
  if one.latest then
    redis.call('HSET', KEYS[3], one.key, ARGV[one.last])
    if unlisted > 0 then
      redis.call('SREM', KEYS[4], one.key)
    end
  end
  local points = pointsOf(one)
  for i = 1, #points, 1000 do
    redis.call('ZADD', one.history, unpack(points, i, math.min(i + 999, #points)))
  end
  redis.call('ZREMRANGEBYRANK', one.history, 0, -1 - tonumber(ARGV[3]))
end
local messages = at + 2 * tonumber(ARGV[10])
for i = at, messages - 1, 2 do
  local member = ARGV[i + 1]
  if not left[member] and not beyond[string.match(member, '^%S+ (.*)$')] then
    redis.call('ZADD', KEYS[5], ARGV[i], member)
  end
end
if watched and again then
  -- They were told when they were left out, or a part of them was.
  tell(ARGV[6], ARGV[7], 'missed')
elseif watched then
  for i = messages, #ARGV do
    tell(ARGV[6], ARGV[7], 't ' .. ARGV[i])
  end
end
return { 'applied', watched and 1 or 0, refused }
