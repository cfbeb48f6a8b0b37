import type { Millis } from '@tandem/core';

export interface BodyRate {
  /** Bytes a second; 0 is no limit. */
  readonly min: number;
  /** How long a body may take to begin. */
  readonly grace: Millis;
}

/** How far ahead of time a sender can get: what came fast does not make up for a standstill of hours. */
const MOST_AHEAD: Millis = 30_000;

/**
 * Whether a body comes fast enough. Its sender has the grace, and every byte buys the time that it takes at the least rate: so a
 * line that stands still for some seconds is no reason, however slow it is, and a byte now and then is one.
 */
export class BodyPace {
  #until: Millis;

  /** @param bytes what the connection has brought until now */
  constructor(
    private readonly rate: BodyRate,
    now: Millis,
    private bytes: number,
  ) {
    this.#until = now + rate.grace;
  }

  /** @returns false when the sender has no time left */
  keeps(now: Millis, bytes: number): boolean {
    const bought = ((bytes - this.bytes) * 1_000) / this.rate.min;
    this.bytes = bytes;
    this.#until = Math.min(this.#until + bought, now + MOST_AHEAD);
    return now <= this.#until;
  }

  /** It is not the sender who is waited for. */
  pause(now: Millis): void {
    this.#until = Math.max(this.#until, now + this.rate.grace);
  }
}
