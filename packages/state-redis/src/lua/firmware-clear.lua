#!lua flags=allow-oom
-- Removes pieces of a package that nobody refers to.
-- KEYS  mark of the upload or pieces, strings
-- Reply how many of them were there.
-- Done again it changes nothing. Memory is freed by another thread.
return redis.call('UNLINK', unpack(KEYS))
