#!lua
-- Makes a field of a table unless it is there.
--
-- KEYS  1 the table, a hash
-- ARGV  1 the field   2 its text where there is none
-- Reply the text that is there now.
--
-- Atomic; done again it changes nothing.
redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2])
return redis.call('HGET', KEYS[1], ARGV[1])
