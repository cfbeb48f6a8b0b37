#!lua
-- Keeps a piece of an upload that is open.
-- KEYS  1 mark of the upload, a string   2 piece, a string
-- ARGV  1 milliseconds until the upload lapses when nothing more comes   2 the bytes
-- Reply 1; 0 where the upload is not open any more, and nothing was written.
-- Atomic: nothing comes behind whoever has closed the upload and clears its pieces away. Done again it changes nothing.
if redis.call('PEXPIRE', KEYS[1], ARGV[1]) == 0 then
  return 0
end
redis.call('SET', KEYS[2], ARGV[2])
return 1
