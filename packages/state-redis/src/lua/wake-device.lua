#!lua flags=allow-oom
-- Wakes the waiters of a device.
--
-- KEYS  1 channel of the device
-- ARGV  1 PUBLISH or SPUBLISH   2 the message
-- Reply nothing of use.
return redis.call(ARGV[1], KEYS[1], ARGV[2])
