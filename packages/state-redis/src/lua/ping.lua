#!lua
-- Writes, and publishes where a channel is named, so that whoever asks knows that both are taken here: other scripts do
-- not fail where only the publication is refused.
--
-- KEYS  1 hash   2 channel, or absent
-- ARGV  1 field of the hash   2 the time, milliseconds since the epoch   3 PUBLISH or SPUBLISH   4 the message
-- Reply 1
--
-- Atomic; run twice it does the same. A key of another type raises WRONGTYPE and nothing is written.
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
if KEYS[2] then
  redis.call(ARGV[3], KEYS[2], ARGV[4])
end
return 1
