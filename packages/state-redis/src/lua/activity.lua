#!lua
-- Notes something about the connectivity of one device, and writes the SERVER attributes that change with it.
--
-- KEYS  1 log of the device, a hash   2 its activity, a hash   3 its SERVER attributes, a hash   4 its feed,
--       a channel
-- ARGV  1 now   2 timeout of a device without one of its own   3 PUBLISH or SPUBLISH   4 what happened:
--         begin                        the device is new
--         seen <at> <certain>          its newest message; certain = 1: the index of the times to look has the device
--         opened <holder> <at> <until> a session, which ends by itself
--         closed <holder> <at>
--         look                         its time has come, or its timeout has changed
--       Times are milliseconds.
-- Reply what became of it, and the time to look at the device next, '' = never or, for an old message, not told:
--       ABSENT      the device has no log; nothing was written
--       UNCERTAIN   it would become active and is perhaps not in the index; nothing was written
--       ACTIVE, INACTIVE   it has become so
--       HOUR        its first message of an hour: the index is to be told again, it may have lost the device
--       SAME
--
-- Fields of the activity: active = 1; last, alarm, born: times; s:<holder> = until when its session is open.
-- Atomic; done again it changes nothing.
-- with feed
if not redis.call('HGET', KEYS[1], 'epoch') then
  return {'ABSENT', ''}
end
local now, publish, what = tonumber(ARGV[1]), ARGV[3], ARGV[4]
local known = redis.call('HMGET', KEYS[2], 'active', 'last', 'alarm', 'born')
local own = redis.call('HGET', KEYS[3], 'inactivityTimeout')
local active = known[1] == '1'
local last, alarm, born = tonumber(known[2] or 0), tonumber(known[3] or 0), tonumber(known[4] or 0)

local function text(time)
  return string.format('%.0f', time)
end

local function tellAttributes(written)
  if isWatched(publish, KEYS[4]) then
    tell(publish, KEYS[4], savedText('v', written, 1))
  end
end

-- So far ahead a time is still exact.
local timeout = math.min(tonumber(own and string.match(own, '^%S+ ([1-9]%d*)$') or ARGV[2]), 1e15)

-- The most frequent by far, and nothing but the time changes with it.
if what == 'seen' then
  local at = tonumber(ARGV[5])
  if at <= last then
    return {'SAME', ''}
  end
  if active then
    redis.call('HSET', KEYS[2], 'last', ARGV[5])
    redis.call('HSET', KEYS[3], 'lastActivityTime', ARGV[1] .. ' ' .. ARGV[5])
    tellAttributes({ 'lastActivityTime', ARGV[1] .. ' ' .. ARGV[5] })
    local sameHour = math.floor(at / 3600000) == math.floor(last / 3600000)
    return {sameHour and 'SAME' or 'HOUR', text(at + timeout)}
  end
end

local outcome, fields, lost, attributes = 'SAME', {}, {}, {}

local function note(field, value)
  fields[#fields + 1] = field
  fields[#fields + 1] = value
end

local function attribute(key, value)
  attributes[#attributes + 1] = key
  attributes[#attributes + 1] = ARGV[1] .. ' ' .. value
end

local function alarmed()
  alarm, born = now, 0
  note('alarm', ARGV[1])
  lost[#lost + 1] = 'born'
  attribute('inactivityAlarmTime', ARGV[1])
end

local function activate()
  outcome, active, born = 'ACTIVE', true, 0
  note('active', '1')
  lost[#lost + 1] = 'born'
  attribute('active', 'true')
  -- An alarm that what came since has proved wrong.
  if alarm > 0 and alarm >= last then
    lost[#lost + 1] = 'alarm'
    attribute('inactivityAlarmTime', '0')
  end
end

-- Sessions, how many, and when the last one ends.
local sessions, count, ends = {}, 0, 0
local all = redis.call('HGETALL', KEYS[2])
for i = 1, #all, 2 do
  if string.sub(all[i], 1, 2) == 's:' then
    sessions[all[i]] = tonumber(all[i + 1])
    count = count + 1
    ends = math.max(ends, sessions[all[i]])
  end
end

local function drop(field)
  sessions[field] = nil
  count = count - 1
  lost[#lost + 1] = field
end

if what ~= 'begin' and what ~= 'seen' and count > 0 then
  if ends <= now then
    attribute('lastDisconnectTime', text(ends))
  end
  for field, til in pairs(sessions) do
    if til <= now then
      drop(field)
    end
  end
end

if what == 'begin' then
  if not active and last == 0 and born == 0 and alarm == 0 then
    born = now
    note('born', ARGV[1])
    attribute('active', 'false')
  end
elseif what == 'seen' then
  last = tonumber(ARGV[5])
  if ARGV[6] ~= '1' then
    return {'UNCERTAIN', text(last + timeout)}
  end
  note('last', ARGV[5])
  attribute('lastActivityTime', ARGV[5])
  activate()
elseif what == 'opened' then
  local field = 's:' .. ARGV[5]
  if count == 0 then
    attribute('lastConnectTime', ARGV[6])
  end
  if not sessions[field] then
    count = count + 1
  end
  sessions[field] = math.max(tonumber(ARGV[7]), sessions[field] or 0)
  note(field, text(sessions[field]))
elseif what == 'closed' then
  local field = 's:' .. ARGV[5]
  if sessions[field] then
    drop(field)
    if count == 0 then
      attribute('lastDisconnectTime', ARGV[6])
    end
  end
elseif what == 'look' then
  local silent = last == 0 or last + timeout <= now
  if active and silent then
    outcome, active = 'INACTIVE', false
    note('active', '0')
    attribute('active', 'false')
    alarmed()
  elseif not active and not silent then
    activate()
  elseif born > 0 and born + timeout <= now then
    alarmed()
  end
end

if #fields > 0 then
  redis.call('HSET', KEYS[2], unpack(fields))
end
if #attributes > 0 then
  redis.call('HSET', KEYS[3], unpack(attributes))
  tellAttributes(attributes)
end
if #lost > 0 then
  for first = 1, #lost, 1000 do
    redis.call('HDEL', KEYS[2], unpack(lost, first, math.min(first + 999, #lost)))
  end
end

local due = math.huge
if active then
  due = last + timeout
elseif born > 0 then
  due = born + timeout
end
if count > 0 then
  local latest = 0
  for _, til in pairs(sessions) do
    latest = math.max(latest, til)
  end
  due = math.min(due, latest)
end
return {outcome, due < math.huge and text(due) or ''}
