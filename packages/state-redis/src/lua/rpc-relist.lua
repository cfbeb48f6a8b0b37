#!lua
-- Lists a stretch of a device's persistent commands that an earlier version created, which did not list them.
-- KEYS  1 log hash of the device   2 zset of all commands (by request id)   3 zset of the persistent ones (by creation)
--       4 zset of those of them that are final (by request id)
-- ARGV  1 what the keys of the commands' hashes begin with: they are in the slot of KEYS[1]
--       2 request id after which the stretch begins, '(n' or '-inf'   3 how many commands at the most
--       4 final states, each behind its form, one-way * 2 + persistent: ',1FAILED,3FAILED,'
-- Reply {request id of the last one, for each that is final its id and expiration}; {} where there was none: then the log
--       has the field `rpcs-listed`, and nobody has to look again.
-- Each step is atomic; done again it changes nothing. The hashes are known only by what the zset says, so their keys are
-- made here.
local log, rpcs, kept, finished = unpack(KEYS)
redis.call('ZCARD', kept)
redis.call('ZCARD', finished)
local epoch = redis.call('HGET', log, 'epoch')
local found = redis.call('ZRANGEBYSCORE', rpcs, ARGV[2], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[3])
if #found == 0 then
  if epoch then redis.call('HSET', log, 'rpcs-listed', 1) end
  return {}
end
local reply = { found[#found] }
for i = 1, #found, 2 do
  local id, requestId = found[i], found[i + 1]
  local base, status, oneway, persistent, expires =
    unpack(redis.call('HMGET', ARGV[1] .. id, 'base', 'status', 'oneway', 'persistent', 'expires'))
  if base and persistent == '1' then
    redis.call('HSETNX', ARGV[1] .. id, 'method', cjson.decode(base).method)
    redis.call('ZADD', kept, string.match(base, '"createdTime":(%d+)'), id)
    if string.find(ARGV[4], ',' .. (oneway == '1' and 3 or 1) .. status .. ',', 1, true) then
      redis.call('ZADD', finished, requestId, id)
      reply[#reply + 1] = id
      reply[#reply + 1] = expires
    end
  end
end
return reply
