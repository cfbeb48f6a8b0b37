import type { Millis } from '@tandem/core';

/** RFC 7252 section 4.8.2. */
export const EXCHANGE_LIFETIME: Millis = 247_000;
export const NON_LIFETIME: Millis = 145_000;

const GROUPS = 8;
const GROUP_BITS = 13;
const GROUP_MASK = (1 << GROUP_BITS) - 1;

/**
 * The message ids of what we send to one peer (RFC 7252 section 4.4): in sequence from a random start, and none again
 * within EXCHANGE_LIFETIME. Remembered per group of 8192 ids rather than per id.
 */
export class MessageIds {
  #next: number;
  readonly #freeAgain: Millis[] = new Array(GROUPS).fill(0);

  /** `start`: 0 to 65535, random. */
  constructor(start: number) {
    this.#next = start & 0xffff;
  }

  /** The next id, or -1 while all of them are in use. */
  next(now: Millis): number {
    const id = this.#next;
    const group = id >> GROUP_BITS;
    if ((id & GROUP_MASK) === 0 && (this.#freeAgain[group] ?? 0) > now) return -1;
    this.#freeAgain[group] = now + EXCHANGE_LIFETIME;
    this.#next = (id + 1) & 0xffff;
    return id;
  }
}
