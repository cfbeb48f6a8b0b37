import type { Millis, Random } from '@tandem/core';

const BUCKET_BITS = 14;
const BUCKETS = 1 << BUCKET_BITS;

/** `groups` times 2^`groupBits` ids, from `first` on; the ids of a group are free again together. */
export interface MessageIdRange {
  readonly first: number;
  readonly groups: number;
  readonly groupBits: number;
}

/**
 * Two ranges, so that whoever forges a device's address cannot use up the ids of what is sent to the device, and no id goes
 * to one address for both within EXCHANGE_LIFETIME: 57,344 ids for devices, 8,192 for the answers to strangers.
 */
export const IDS_FOR_DEVICES: MessageIdRange = { first: 0, groups: 14, groupBits: 12 };
export const IDS_FOR_STRANGERS: MessageIdRange = { first: 0xe000, groups: 8, groupBits: 10 };

/**
 * The message ids of what we send (RFC 7252 section 4.4): to each peer in sequence from a random start, and none again
 * within EXCHANGE_LIFETIME. A peer has the ids of the bucket its hash falls into, perhaps with others, so there is nothing
 * to keep per peer, and nothing is lost when a peer is forgotten. What is in use is remembered per group of ids rather
 * than per id: 0.9 MB for devices and 0.6 MB for strangers, taken with the first message.
 */
export class MessageIds {
  readonly #random: Random;
  readonly #lifetime: number;
  readonly #range: MessageIdRange;
  readonly #groupMask: number;
  readonly #size: number;
  /** By bucket: the next id, reckoned from the first of the range. */
  #next: Uint16Array | undefined = undefined;
  /** By bucket and group: the second from which on its ids may be used again. */
  #freeAgain = new Int32Array(0);

  /** @param lifetime EXCHANGE_LIFETIME */
  constructor(random: Random, lifetime: Millis, range: MessageIdRange = IDS_FOR_DEVICES) {
    this.#random = random;
    this.#range = range;
    this.#groupMask = (1 << range.groupBits) - 1;
    this.#size = range.groups << range.groupBits;
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
    const { first, groups, groupBits } = this.#range;
    const at = next[bucket] ?? 0;
    const place = bucket * groups + (at >> groupBits);
    const second = Math.floor(now / 1000);
    if ((at & this.#groupMask) === 0 && (this.#freeAgain[place] ?? 0) > second) return -1;
    this.#freeAgain[place] = second + this.#lifetime;
    next[bucket] = at + 1 === this.#size ? 0 : at + 1;
    return first + at;
  }

  #start(): Uint16Array {
    const next = new Uint16Array(BUCKETS);
    this.#random.bytes(next.byteLength).copy(Buffer.from(next.buffer));
    for (let bucket = 0; bucket < BUCKETS; bucket++) next[bucket] = (next[bucket] ?? 0) % this.#size;
    this.#freeAgain = new Int32Array(BUCKETS * this.#range.groups);
    return next;
  }
}
