import type { Clock } from '@tandem/core';

/** So many seconds' worth of commands may come at once: a page that opens subscribes to all it shows. */
const BURST_SECONDS = 10;

/** How many commands a session may still send: a bucket that fills again by and by. */
export class CommandRate {
  #left: number;
  #at: number;

  constructor(
    private readonly perSecond: number,
    private readonly clock: Clock,
  ) {
    this.#left = perSecond * BURST_SECONDS;
    this.#at = clock.monotonic();
  }

  /** @returns whether they may be carried out */
  take(commands: number): boolean {
    const now = this.clock.monotonic();
    const filled = this.#left + ((now - this.#at) / 1_000) * this.perSecond;
    this.#left = Math.min(filled, this.perSecond * BURST_SECONDS) - commands;
    this.#at = now;
    return this.#left >= 0;
  }
}
