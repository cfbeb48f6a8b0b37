#!lua
-- Deletes attributes of a scope that nobody waits for: CLIENT or SERVER.
--
-- KEYS  1 attributes of the scope, a hash   2 feed of the device, a channel
-- ARGV  1 PUBLISH or SPUBLISH   2 letter of the scope   3 time stamp   4.. key and its JSON text of each attribute
-- Reply a JSON array of the keys that were there.
--
-- Atomic; done again it finds none.
-- with feed
local deleted = {}
for i = 4, #ARGV, 2 do
  if redis.call('HDEL', KEYS[1], ARGV[i]) == 1 then
    deleted[#deleted + 1] = ARGV[i + 1]
  end
end
local text = '[' .. table.concat(deleted, ',') .. ']'
if #deleted > 0 and isWatched(ARGV[1], KEYS[2]) then
  tell(ARGV[1], KEYS[2], 'd ' .. ARGV[2] .. ' ' .. ARGV[3] .. ' ' .. text)
end
return text
