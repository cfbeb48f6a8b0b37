#!lua flags=allow-oom
-- Wakes the waiters of a device.
--
-- KEYS  1 channel of the device
-- ARGV  1 PUBLISH or SPUBLISH   2 the message
-- Reply 1
--
-- A wake-up is a hint: here as in every script a refused publication (a user without the right to the channel) must not
-- make a failure of a write that is done.
redis.pcall(ARGV[1], KEYS[1], ARGV[2])
return 1
