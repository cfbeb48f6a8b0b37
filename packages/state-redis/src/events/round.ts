import type { Clock, Millis, Timer } from '@tandem/core';
import type { Channel } from './channel';

/** Nobody waits longer than this for a subscription. */
const PATIENCE: Millis = 1_000;

/** Subscriptions that are asked for together, and those who wait for them. */
export class Round {
  readonly channels: Channel[] = [];
  /** Resolves when all are answered, or will not be answered soon. */
  readonly over: Promise<void>;
  #end: () => void = () => {};
  readonly #timer: Timer;

  constructor(clock: Clock) {
    this.over = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#timer = clock.setTimer(PATIENCE, () => this.end());
  }

  /** Those that are not confirmed by now miss what happens until they are. */
  end(): void {
    this.#timer.cancel();
    for (const channel of this.channels) if (channel.round === this) channel.missed = true;
    this.#end();
  }
}
