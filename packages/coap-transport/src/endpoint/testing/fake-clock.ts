import type { Clock, Millis, Timer } from '@tandem/core';

interface Pending {
  readonly at: Millis;
  readonly order: number;
  readonly fire: () => void;
}

/** Time that moves only when told to. Also gives `soon`, the next turn of the event loop, which `settle` runs. */
export class FakeClock implements Clock {
  #now: Millis = 0;
  #order = 0;
  #pending = new Set<Pending>();
  #turns: (() => void)[] = [];

  now(): Millis {
    return 1_700_000_000_000 + this.#now;
  }

  monotonic(): Millis {
    return this.#now;
  }

  setTimer(delay: Millis, fire: () => void): Timer {
    const pending: Pending = { at: this.#now + Math.max(0, delay), order: this.#order++, fire };
    this.#pending.add(pending);
    return { cancel: () => void this.#pending.delete(pending) };
  }

  readonly soon = (run: () => void): void => {
    this.#turns.push(run);
  };

  get timers(): number {
    return this.#pending.size;
  }

  get turns(): number {
    return this.#turns.length;
  }

  /** One turn of the event loop, and the promises after it. */
  async turn(): Promise<void> {
    const turns = this.#turns;
    this.#turns = [];
    for (const run of turns) run();
    for (let i = 0; i < 12; i++) await Promise.resolve();
  }

  /** Turns until nothing waits for one. */
  async settle(): Promise<void> {
    await this.turn();
    while (this.#turns.length > 0) await this.turn();
  }

  /** Lets `duration` pass, firing what becomes due in order. */
  async advance(duration: Millis): Promise<void> {
    const until = this.#now + duration;
    await this.settle();
    for (;;) {
      let first: Pending | undefined;
      for (const pending of this.#pending) {
        if (pending.at > until) continue;
        if (first === undefined || pending.at < first.at || (pending.at === first.at && pending.order < first.order)) {
          first = pending;
        }
      }
      if (first === undefined) break;
      this.#pending.delete(first);
      this.#now = Math.max(this.#now, first.at);
      first.fire();
      await this.settle();
    }
    this.#now = until;
  }
}
