#!lua
-- Appends a batch of accepted messages to a partition of the telemetry log, once.
--
-- KEYS  1 stream of the partition   2 what is known of the writer there, a hash: `settled` = number of its last batch,
--         `refused` = number of the last one that was refused
-- ARGV  1 number of the batch: a writer counts up, and sends none before the one before it is settled or given up
--       2 milliseconds that the writer is remembered after its last batch   3 entries at which the stream takes no more
--       4.. device and records (telemetry/message-codec.ts), by turns; a device is its id, and where its points leave the
--       history `;` and when
-- Reply 1 'appended'; 'settled' where the batch was there before, or is a straggler; 'full' where it is or was refused, and
--         nothing was appended
--       2 id of the newest entry the stream has ever had   3 its length
--
-- Atomic: all of the batch or nothing. Done again it appends nothing, nor does a straggler that comes after a later batch
-- of its writer. A refused batch is settled as well: no copy of it may get in later. Every call writes, so that a WAIT
-- behind it on the same connection stands for the batch however often it was sent.
local UUID_LENGTH = 36

local stream, writer, number = KEYS[1], KEYS[2], ARGV[1]
local length = redis.call('XLEN', stream)
local settled, refused = unpack(redis.call('HMGET', writer, 'settled', 'refused'))
local outcome = refused == number and 'full' or 'settled'
local newest
if tonumber(number) > tonumber(settled or 0) then
  redis.call('HSET', writer, 'settled', number)
  if length >= tonumber(ARGV[3]) then
    outcome = 'full'
    redis.call('HSET', writer, 'refused', number)
  else
    outcome = 'appended'
    for i = 4, #ARGV, 2 do
      local cut = string.find(ARGV[i], ';', UUID_LENGTH + 1, true)
      if cut then
        local device, expiry = string.sub(ARGV[i], 1, cut - 1), string.sub(ARGV[i], cut + 1)
        newest = redis.call('XADD', stream, '*', 'd', device, 'm', ARGV[i + 1], 'x', expiry)
      else
        newest = redis.call('XADD', stream, '*', 'd', ARGV[i], 'm', ARGV[i + 1])
      end
    end
    length = length + (#ARGV - 3) / 2
  end
end
redis.call('PEXPIRE', writer, ARGV[2])
if not newest then
  local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
  newest = last and last[1] or ''
end
return { outcome, newest, length }
