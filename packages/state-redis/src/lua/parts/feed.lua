-- Part of scripts that write: the feed of a device, on which those who watch it hear what was written (adr/0026).

local function isWatched(publish, channel)
  local reply = redis.pcall('PUBSUB', publish == 'SPUBLISH' and 'SHARDNUMSUB' or 'NUMSUB', channel)
  -- A user without the right to ask tells always.
  return reply.err ~= nil or reply[2] > 0
end

-- What would fill a subscriber's buffer is to be read instead.
local function tell(publish, channel, text)
  redis.pcall(publish, channel, #text <= 1048576 and text or 'missed')
end

-- `s <scope> <time stamp> ["key","value",...]` of key and `<time stamp> <value>` by turns.
local function savedText(scope, fields, first)
  local items, ts = {}, nil
  for i = first, #fields, 2 do
    local space = string.find(fields[i + 1], ' ', 1, true)
    ts = string.sub(fields[i + 1], 1, space - 1)
    items[#items + 1] = fields[i]
    items[#items + 1] = string.sub(fields[i + 1], space + 1)
  end
  return 's ' .. scope .. ' ' .. ts .. ' ' .. cjson.encode(items)
end
