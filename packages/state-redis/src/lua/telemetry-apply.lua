#!lua
-- Puts what a device has sent into the view: latest values and history.
--
-- KEYS  1 log of the device, a hash   2 what the view knows of the device, a hash: `applied` = id of the last entry it has
--       3 latest values, a hash: key -> '<ts> <value>'   4.. history of each telemetry key, a sorted set: '<ts> <value>' by ts
-- ARGV  1 id of the first entry   2 of the last one   3 points kept for each key
--       then for each telemetry key of KEYS 4..: the key, the number of its points, and for each point, by growing ts,
--       ts and '<ts> <value>'
-- Reply 'applied'; 'absent' where the log has no epoch, and nothing was written; else the id in `applied`, where that is
--       not before the first entry: what follows it has to be sent by itself, where it is not all of it.
--
-- Atomic; all types are looked at before the first write. Done again it changes nothing, whoever does it.
if not redis.call('HGET', KEYS[1], 'epoch') then
  return 'absent'
end

local function isBefore(a, b)
  local timeA, sequenceA = string.match(a, '^(%d+)%-(%d+)$')
  local timeB, sequenceB = string.match(b, '^(%d+)%-(%d+)$')
  timeA, timeB = tonumber(timeA), tonumber(timeB)
  return timeA < timeB or (timeA == timeB and tonumber(sequenceA) < tonumber(sequenceB))
end

local applied = redis.call('HGET', KEYS[2], 'applied')
if applied and not isBefore(applied, ARGV[1]) then
  -- A write, so that a WAIT behind it stands for what another call has written.
  redis.call('HSET', KEYS[2], 'applied', applied)
  return applied
end

local series, at = {}, 4
for i = 4, #KEYS do
  local key, count = ARGV[at], tonumber(ARGV[at + 1])
  local stored = redis.call('HGET', KEYS[3], key)
  local newest = redis.call('ZREVRANGE', KEYS[i], 0, 0, 'WITHSCORES')[2]
  local first, last = at + 2, at + 2 * count
  series[#series + 1] = {
    history = KEYS[i],
    key = key,
    first = first,
    last = last + 1,
    latest = not stored or tonumber(string.match(stored, '^%S+')) <= tonumber(ARGV[last]),
    newest = newest and tonumber(newest),
  }
  at = last + 2
end

redis.call('HSET', KEYS[2], 'applied', ARGV[2])
for _, one in ipairs(series) do
  if one.latest then
    redis.call('HSET', KEYS[3], one.key, ARGV[one.last])
  end
  if one.newest then
    for i = one.first, one.last, 2 do
      if tonumber(ARGV[i]) > one.newest then
        break
      end
      redis.call('ZREMRANGEBYSCORE', one.history, ARGV[i], ARGV[i])
    end
  end
  for i = one.first, one.last, 1000 do
    redis.call('ZADD', one.history, unpack(ARGV, i, math.min(i + 999, one.last)))
  end
  redis.call('ZREMRANGEBYRANK', one.history, 0, -1 - tonumber(ARGV[3]))
end
return 'applied'
