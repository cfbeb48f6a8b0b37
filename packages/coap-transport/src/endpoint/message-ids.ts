import type { Millis, Random } from '@tandem/core';

const BUCKET_BITS = 14;
const BUCKETS = 1 << BUCKET_BITS;
const GROUPS = 8;
const GROUP_BITS = 13;
const GROUP_MASK = (1 << GROUP_BITS) - 1;

/**
 * The message ids of what we send (RFC 7252 section 4.4): to each peer in sequence from a random start, and none again
 * within EXCHANGE_LIFETIME. A peer has the ids of the bucket its hash falls into, perhaps with others, so there is nothing
 * to keep per peer, and nothing is lost when a peer is forgotten. What is in use is remembered per group of 8192 ids rather
 * than per id: 0.6 MB in all, taken with the first message.
 */
export class MessageIds {
  readonly #random: Random;
  readonly #lifetime: number;
  #next: Uint16Array | undefined = undefined;
  /** By bucket and group: the second from which on its ids may be used again. */
  #freeAgain = new Int32Array(0);

  /** @param lifetime EXCHANGE_LIFETIME */
  constructor(random: Random, lifetime: Millis) {
    this.#random = random;
    // One more, since both ends are rounded down to a second.
    this.#lifetime = Math.ceil(lifetime / 1000) + 1;
  }

  /**
   * The next id for a peer, or -1 while all of its bucket are in use.
   * @param hash seeded, so that nobody can choose to share a bucket with somebody else
   */
  next(hash: number, now: Millis): number {
    this.#next ??= this.#start();
    const next = this.#next;
    const bucket = Math.imul(hash ^ (hash >>> 15), 0x9e3779b1) >>> (32 - BUCKET_BITS);
    const id = next[bucket] ?? 0;
    const place = bucket * GROUPS + (id >> GROUP_BITS);
    const second = Math.floor(now / 1000);
    if ((id & GROUP_MASK) === 0 && (this.#freeAgain[place] ?? 0) > second) return -1;
    this.#freeAgain[place] = second + this.#lifetime;
    next[bucket] = id + 1;
    return id;
  }

  #start(): Uint16Array {
    const next = new Uint16Array(BUCKETS);
    this.#random.bytes(next.byteLength).copy(Buffer.from(next.buffer));
    this.#freeAgain = new Int32Array(BUCKETS * GROUPS);
    return next;
  }
}
