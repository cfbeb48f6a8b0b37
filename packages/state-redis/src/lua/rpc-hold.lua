#!lua
-- Takes a command in hand that nobody holds, so that no other waiter hands it out. Wakes nobody.
-- KEYS  1 hash of the command
-- ARGV  1 name of this call   2 states it may be in: ',A,B,'   3 now   4 until
-- Reply 'held', 'refused' or 'absent'.
-- One step. Run twice, the second finds its own name as that of the hold: 'held'. A transition ends the hold and takes its
-- name away.
local rpc, call = KEYS[1], ARGV[1]
local base, status, heldBy, heldUntil = unpack(redis.call('HMGET', rpc, 'base', 'status', 'heldBy', 'heldUntil'))
if not base then return 'absent' end
if heldBy == call then return 'held' end
if not string.find(ARGV[2], ',' .. status .. ',', 1, true) then return 'refused' end
if tonumber(heldUntil) > tonumber(ARGV[3]) then return 'refused' end
redis.call('HSET', rpc, 'heldBy', call, 'heldUntil', ARGV[4])
return 'held'
