#!lua
-- Notes a rollout; one for the same target is superseded.
-- KEYS  1 records, a hash   2 holders, a hash   3 when they may be taken, a zset
-- ARGV  1 target   2 record   3 holder   4 until when it is held, ms
-- Reply 1
-- One step; done again right away it changes nothing.
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[1])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
return 1
