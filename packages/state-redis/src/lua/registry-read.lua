#!lua flags=no-writes
-- Reads fields of several tables, one found by the other, as of one moment.
--
-- KEYS  the tables, hashes of one slot
-- ARGV  steps of three: number of the table in KEYS, kind, value. The field that is read is, by kind:
--         text  the value itself
--         of    what the step of this number found
--         head  the first 36 characters, a UUID, of what the step of this number found
-- Reply one text for each step; nil where the field, or the step that names it, has nothing.
local HEAD = 36

local found = {}
for i = 1, #ARGV, 3 do
  local table_key, kind, value = KEYS[tonumber(ARGV[i])], ARGV[i + 1], ARGV[i + 2]
  local field = value
  if kind ~= 'text' then
    field = found[tonumber(value)]
    if field and kind == 'head' then
      field = string.sub(field, 1, HEAD)
    end
  end
  found[#found + 1] = field and redis.call('HGET', table_key, field) or false
end
return found
