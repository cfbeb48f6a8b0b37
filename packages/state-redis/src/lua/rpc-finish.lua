#!lua flags=allow-oom
-- Notes that a persistent command is final: nobody has to make it so any more, and it may go when it is old.
-- KEYS  1 hash: id -> where the command is   2 zset of the ids (by expiration)
--       3 zset of the ids of persistent ones that are final (by the time since which they are)
-- ARGV  1 id   2 since when
-- Reply 1; 0 where the command has been removed meanwhile.
-- One step; run twice, the second changes nothing. Also where Redis is out of memory: it moves an entry.
local devices, expiry, finished, id = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
local there = redis.call('HEXISTS', devices, id)
redis.call('ZSCORE', expiry, id)
redis.call('ZSCORE', finished, id)
redis.call('ZREM', expiry, id)
if there == 1 then redis.call('ZADD', finished, 'NX', ARGV[2], id) end
return there
