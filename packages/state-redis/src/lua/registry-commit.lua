#!lua
-- One write of the registry: checks, and when all hold, changes and what is told to the processes.
--
-- KEYS  1 note that this commit was made, a string   2 stream of changes   3 channel of the registry
--       4 processes that hear changes, a hash   5.. tables (hashes)
-- ARGV  1 milliseconds that the note is kept   2 length of the stream
--       3 id of the process   4 id of the commit   5 kind of the change, empty for none   6 whom it is about
--       7 PUBLISH or SPUBLISH   8 after how many milliseconds without a word a process that hears changes is gone; 0 = nobody
--       waits for others to hear of this one
--       9 number of checks, then five for each: number of the table in KEYS, field, kind, text, conflict. Kinds:
--           is      the field has this text
--           absent  the field is not there
--           present the field is there
--           zero    the field is not there or a counter at 0
--           below   the field is a list of fields, separated by spaces: the counters there make less than the text, in all
--       then changes of four: number of the table, hset | hdel | hincrby, field, text or number; a counter at 0 goes
-- Reply OK, or the conflict of the first check that does not hold. Where others have to hear of the change and somebody waits
--       for that: its number, then for each of them its id and the number of the entry that it has heard last.
--
-- Atomic: every key is looked at before the first write, so that one of another program stops it with nothing changed.
-- The note makes a commit that is sent twice, because its answer got lost, one commit with one answer.
local FIXED, CHECK, CHANGE = 9, 5, 4

-- `number` is a text, empty where nothing was told.
local function answer(number)
  local patience = tonumber(ARGV[8])
  local reply = { tonumber(number) }
  if number ~= '' and patience > 0 then
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    local readers = redis.call('HGETALL', KEYS[4])
    for i = 1, #readers, 2 do
      local heard, said = string.match(readers[i + 1], '^(%d+) (%d+)$')
      if not said or now - tonumber(said) > patience then
        redis.call('HDEL', KEYS[4], readers[i])
      elseif readers[i] ~= ARGV[3] then
        reply[#reply + 1] = readers[i]
        reply[#reply + 1] = tonumber(heard)
      end
    end
  end
  return #reply > 1 and reply or 'OK'
end

local note = redis.call('GET', KEYS[1])
if note then
  return answer(note)
end
redis.call('XLEN', KEYS[2])
redis.call('HLEN', KEYS[4])
for i = 5, #KEYS do
  redis.call('HLEN', KEYS[i])
end

local first_change = FIXED + 1 + tonumber(ARGV[FIXED]) * CHECK
for i = FIXED + 1, first_change - 1, CHECK do
  local kind, expected = ARGV[i + 2], ARGV[i + 3]
  local table_key = KEYS[tonumber(ARGV[i])]
  local text = kind ~= 'below' and redis.call('HGET', table_key, ARGV[i + 1])
  local holds
  if kind == 'below' then
    local sum = 0
    for field in string.gmatch(ARGV[i + 1], '%S+') do
      sum = sum + tonumber(redis.call('HGET', table_key, field) or 0)
    end
    holds = sum < tonumber(expected)
  elseif kind == 'is' then
    holds = text == expected
  elseif kind == 'absent' then
    holds = not text
  elseif kind == 'present' then
    holds = text and true
  else
    holds = not text or text == '0'
  end
  if not holds then
    return ARGV[i + 4]
  end
end
for i = first_change, #ARGV, CHANGE do
  if ARGV[i + 1] == 'hincrby' then
    local text = redis.call('HGET', KEYS[tonumber(ARGV[i])], ARGV[i + 2])
    if text and not string.match(text, '^%-?%d+$') then
      return redis.error_reply('WRONGTYPE a counter of the registry is no number')
    end
  end
end

local number = ''
if ARGV[5] ~= '' then
  -- Entries are numbered without a hole, so that a reader sees what was trimmed before it came.
  local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
  number = string.format('%.0f', newest and tonumber(string.match(newest[1], '^%d+')) + 1 or 1)
end
redis.call('SET', KEYS[1], number, 'PX', ARGV[1])
for i = first_change, #ARGV, CHANGE do
  local key, command, field, value = KEYS[tonumber(ARGV[i])], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  if command == 'hset' then
    redis.call('HSET', key, field, value)
  elseif command == 'hdel' then
    redis.call('HDEL', key, field)
  elseif redis.call('HINCRBY', key, field, value) == 0 then
    redis.call('HDEL', key, field)
  end
end

if number ~= '' then
  redis.call(
    'XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], number .. '-0',
    'by', ARGV[3], 'commit', ARGV[4], 'kind', ARGV[5], 'about', ARGV[6]
  )
  -- A new device is news to nobody but who lists devices, and who does asks before. Yet what is left of the stream has to
  -- reach back to what the processes have read.
  if ARGV[5] ~= 'created' or tonumber(number) % 1000 == 0 then
    redis.pcall(ARGV[7], KEYS[3], ARGV[3] .. ' changes')
  end
end
return answer(number)
