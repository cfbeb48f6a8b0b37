import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Millis, Random } from '@tandem/core';

/** A cookie is good for this long at least, and twice at most: a client repeats its ClientHello within a second. */
const PERIOD: Millis = 30_000;
export const COOKIE_LIFETIME: Millis = 2 * PERIOD;

/** Cookies that nothing has to be remembered for (RFC 6347 section 4.2.1): who has one receives what is sent to its address. */
export class Cookies {
  readonly #secret: Buffer;

  constructor(
    random: Pick<Random, 'bytes'>,
    private readonly now: () => Millis,
  ) {
    this.#secret = random.bytes(32);
  }

  of(peer: string): Buffer {
    return this.#at(peer, this.#period);
  }

  isOf(peer: string, cookie: Buffer): boolean {
    const period = this.#period;
    return equal(cookie, this.#at(peer, period)) || equal(cookie, this.#at(peer, period - 1));
  }

  get #period(): number {
    return Math.floor(this.now() / PERIOD);
  }

  #at(peer: string, period: number): Buffer {
    return createHmac('sha256', this.#secret).update(`${period} ${peer}`).digest();
  }
}

const equal = (one: Buffer, other: Buffer): boolean => one.length === other.length && timingSafeEqual(one, other);
