#!lua flags=allow-oom
-- Says on the feed of a device that everything told before has been told.
--
-- KEYS  1 feed of the device, a channel
-- ARGV  1 PUBLISH or SPUBLISH   2 the message
-- Reply how many hear it.
return redis.call(ARGV[1], KEYS[1], ARGV[2])
