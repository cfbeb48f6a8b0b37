#!lua flags=no-writes
-- KEYS  pieces of an upload, strings
-- Reply how many bytes they have together.
local length = 0
for i = 1, #KEYS do
  length = length + redis.call('STRLEN', KEYS[i])
end
return length
