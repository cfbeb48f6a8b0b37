/** The Redis that was found must not be used; the message says in one line why. Trying again would not help. */
export class RedisRefusedError extends Error {
  override readonly name = 'RedisRefusedError';
}
