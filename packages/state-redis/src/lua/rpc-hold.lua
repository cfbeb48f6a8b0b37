#!lua
-- Takes a command in hand that nobody holds, so that no other waiter hands it out. Wakes nobody.
-- KEYS  1 hash of the command
-- ARGV  1 name of this call   2 states it may be in: ',A,B,'   3 now   4 until
-- Reply 'held', 'refused' or 'absent'.
-- One step. Run twice, the second finds its own name as that of the last change: 'held'.
local rpc, call = KEYS[1], ARGV[1]
local base, status, changedBy, heldUntil = unpack(redis.call('HMGET', rpc, 'base', 'status', 'changedBy', 'heldUntil'))
if not base then return 'absent' end
if changedBy == call then return 'held' end
if not string.find(ARGV[2], ',' .. status .. ',', 1, true) then return 'refused' end
if tonumber(heldUntil) > tonumber(ARGV[3]) then return 'refused' end
redis.call('HSET', rpc, 'changedBy', call, 'heldUntil', ARGV[4])
return 'held'
