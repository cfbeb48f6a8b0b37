#!lua
-- Opens an upload: pieces are taken from now on.
-- KEYS  1 mark of the upload, a string
-- ARGV  1 milliseconds until it lapses when nothing comes
-- Reply 'OK'
-- Done again it changes nothing but the end of the mark.
return redis.call('SET', KEYS[1], '', 'PX', ARGV[1])
