#!lua
-- Deletes attributes of a scope that nobody waits for: CLIENT or SERVER.
--
-- KEYS  1 attributes of the scope, a hash
-- ARGV  1.. key and its JSON text of each attribute
-- Reply a JSON array of the keys that were there.
--
-- Atomic; done again it finds none.
local deleted = {}
for i = 1, #ARGV, 2 do
  if redis.call('HDEL', KEYS[1], ARGV[i]) == 1 then
    deleted[#deleted + 1] = ARGV[i + 1]
  end
end
return '[' .. table.concat(deleted, ',') .. ']'
