#!lua flags=no-writes
-- What has been told to the processes since an entry of the stream of changes.
--
-- KEYS  1 stream of changes   2 table meta, a hash
-- ARGV  1 number of the entry that was read last, 0 for none   2 how many entries at most
-- Reply the id of the store, nil where it has none; the name of the life of the server; the newest entry, nil where there is
--       none; the entries from the given one on, that one included. An entry is its id and its fields.
--
-- One step. A server that starts, or takes the place of another one, has a replication id of its own. It may have lost the
-- last writes, also such as tell nothing: the stream alone does not show that.
local id = redis.call('HGET', KEYS[2], 'id')
local info = redis.call('INFO', 'replication')
local _, at = string.find(info, 'master_replid:', 1, true)
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1] or false
return { id, string.sub(info, at + 1, at + 10), newest, redis.call('XRANGE', KEYS[1], ARGV[1] .. '-0', '+', 'COUNT', ARGV[2]) }
