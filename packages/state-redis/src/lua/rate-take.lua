#!lua
-- Takes tokens out of buckets of one owner, out of all or out of none; a cost below 0 gives them back.
-- KEYS  1 hash of the owner: '<what>:<count>:<seconds>' -> '<tokens> <since when, ms>'
-- ARGV  1 now, ms   2 what, 3 count, 4 seconds, 5 cost, and so on for each bucket
-- Reply {} when taken; else {which of the buckets takes longest, from 0, how long until it has enough, ms}.
-- One step. Run twice it takes twice: a limit may be reached early, never late. A bucket that is not there is full, so the
-- hash lapses when the longest time of its limits is over. The numbers are those of core/src/limits/token-bucket.ts.
local key, now = KEYS[1], tonumber(ARGV[1])
local buckets, longest, worst, wait = {}, 0, nil, 0

for i = 2, #ARGV, 4 do
  local count, seconds, cost = tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3])
  local window = seconds * 1000
  local field = ARGV[i] .. ':' .. ARGV[i + 1] .. ':' .. ARGV[i + 2]
  local tokens, at = string.match(redis.call('HGET', key, field) or '', '^(%S+) (%S+)$')
  tokens, at = tonumber(tokens or count), tonumber(at or now)
  local elapsed = now - at
  if elapsed < -window then
    at = now
  elseif elapsed > 0 then
    tokens, at = math.min(count, tokens + elapsed * count / window), now
  end
  if tokens + 1e-6 < cost then
    local missing = window
    if cost <= count then missing = math.max(math.ceil((cost - tokens) * window / count + at - now), 1) end
    if missing > wait then worst, wait = (i - 2) / 4, missing end
  end
  longest = math.max(longest, window)
  buckets[#buckets + 1] = { field, tokens, at, cost, count }
end

for _, bucket in ipairs(buckets) do
  local field, tokens, at, cost, count = unpack(bucket)
  if not worst then tokens = math.min(math.max(tokens - cost, 0), count) end
  redis.call('HSET', key, field, string.format('%.17g %.0f', tokens, at))
end
local lapse = string.format('%.0f', longest)
redis.call('PEXPIRE', key, lapse, 'NX')
redis.call('PEXPIRE', key, lapse, 'GT')
if worst then return { worst, wait } end
return {}
