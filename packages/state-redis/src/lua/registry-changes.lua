#!lua flags=no-writes
-- What has been told to the processes since an entry of the stream of changes.
--
-- KEYS  1 stream of changes   2 table meta, a hash
-- ARGV  1 number of the entry that was read last, 0 for none   2 how many entries at most
-- Reply the id of the store, nil where it has none; the newest entry, nil where there is none; the entries from the given
--       one on, that one included. An entry is its id and its fields.
local id = redis.call('HGET', KEYS[2], 'id')
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1] or false
return { id, newest, redis.call('XRANGE', KEYS[1], ARGV[1] .. '-0', '+', 'COUNT', ARGV[2]) }
