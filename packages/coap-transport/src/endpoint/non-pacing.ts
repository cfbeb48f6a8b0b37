import type { Millis } from '@tandem/core';

/** Between two Non-confirmable notifications to a peer whose round-trip time is not known (RFC 7641 section 4.5.1). */
const UNKNOWN_ROUND_TRIP: Millis = 3_000;
/** RFC 6298 section 2: how much of a new sample goes into the smoothed round-trip time. */
const SAMPLE_SHARE = 1 / 8;

/**
 * When a Non-confirmable notification to a peer has to be a Confirmable one instead, which asks whether the observer is
 * still there (RFC 7641 section 4.5):
 *
 * - on average one goes per round-trip time, or per 3 s where that is not known, and `burst` at once (section 4.5.1);
 * - no more than `burst` go in a row without an acknowledgement, so whoever forges an address can have no more than those
 *   sent there, and the repetitions of one message.
 *
 * Nobody who is there waits for this: a Confirmable message goes at once. Only peers with Non-confirmable observers have
 * one.
 */
export class NonPacing {
  #tokens: number;
  #filledAt: Millis;
  #unanswered = 0;

  constructor(
    private readonly burst: number,
    now: Millis,
  ) {
    this.#tokens = burst;
    this.#filledAt = now;
  }

  /** Whether one may go. @param roundTrip smoothed; -1 while it is not known */
  mayPass(roundTrip: Millis, now: Millis): boolean {
    const interval = roundTrip < 0 ? UNKNOWN_ROUND_TRIP : Math.max(roundTrip, 1);
    this.#tokens = Math.min(this.burst, this.#tokens + (now - this.#filledAt) / interval);
    this.#filledAt = now;
    return this.#tokens >= 1 && this.#unanswered < this.burst;
  }

  /** One has left. */
  passed(): void {
    this.#tokens--;
    this.#unanswered++;
  }

  /** The peer has acknowledged a notification. */
  answered(): void {
    this.#unanswered = 0;
  }
}

/**
 * A round-trip time with one more sample in it, in whole milliseconds.
 * @param sample from the only transmission of a message to its acknowledgement (Karn's algorithm, RFC 6298 section 3)
 */
export function smoothed(roundTrip: Millis, sample: Millis): Millis {
  return Math.round(roundTrip < 0 ? sample : roundTrip + (sample - roundTrip) * SAMPLE_SHARE);
}
