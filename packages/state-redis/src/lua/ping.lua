#!lua
-- Writes, so that whoever asks knows that a write is taken here.
-- KEYS[1] hash; ARGV[1] its field; ARGV[2] the time, milliseconds since the epoch
-- Reply: 1
-- Atomic; run twice it does the same. A key of another type raises WRONGTYPE and nothing is written.
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
