#!lua flags=no-writes
-- How far a partition of the telemetry log has got.
--
-- KEYS  1 stream of the partition
-- ARGV  1 the materialiser's group
-- Reply 1 id of the newest entry, '' where there is none   2 length   3 the oldest entry that the group has not
--       acknowledged, '' where there is none   4 id of the newest entry the stream has ever had, '' where there is no stream
--
-- One read.
local stream = KEYS[1]
local length = redis.call('XLEN', stream)
if redis.call('EXISTS', stream) == 0 then
  return { '', 0, '', '' }
end
local ever
local info = redis.call('XINFO', 'STREAM', stream)
for i = 1, #info, 2 do
  if info[i] == 'last-generated-id' then
    ever = info[i + 1]
  end
end
if length == 0 then
  return { '', 0, '', ever }
end
local newest = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1][1]
local oldest
for _, flat in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
  local group = {}
  for i = 1, #flat, 2 do
    group[flat[i]] = flat[i + 1]
  end
  if group.name == ARGV[1] then
    if group.pending > 0 then
      oldest = redis.call('XPENDING', stream, ARGV[1])[2]
    else
      local next = redis.call('XRANGE', stream, '(' .. group['last-delivered-id'], '+', 'COUNT', 1)[1]
      oldest = next and next[1] or ''
    end
  end
end
return { newest, length, oldest or redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1][1], ever }
