#!lua flags=allow-oom
-- Says something to the processes of the gateway that listen: a question, or the answer to one.
--
-- KEYS  1 a channel
-- ARGV  1 PUBLISH or SPUBLISH   2 the message
-- Reply how many hear it.
return redis.call(ARGV[1], KEYS[1], ARGV[2])
