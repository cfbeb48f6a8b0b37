import type { Clock, Millis, Timer } from '@tandem/core';

interface Pending {
  readonly at: number;
  readonly delay: Millis;
  readonly fire: () => void;
}

/** A clock that stands still until it is told to move. */
export class HeldClock implements Clock {
  #now = Date.now();
  readonly #start = this.#now;
  readonly #pending = new Set<Pending>();
  readonly #watchers = new Set<() => void>();

  now(): number {
    return this.#now;
  }

  monotonic(): Millis {
    return this.#now - this.#start;
  }

  setTimer(delay: Millis, fire: () => void): Timer {
    const timer = { at: this.#now + delay, delay, fire };
    this.#pending.add(timer);
    this.#changed();
    return {
      cancel: () => {
        if (this.#pending.delete(timer)) this.#changed();
      },
    };
  }

  has(delay: Millis): boolean {
    return [...this.#pending].some((timer) => timer.delay === delay);
  }

  /** Resolves when a timer of this delay is running. */
  timerOf(delay: Millis): Promise<void> {
    return this.#until(() => this.has(delay));
  }

  /** Resolves when none is. */
  noTimerOf(delay: Millis): Promise<void> {
    return this.#until(() => !this.has(delay));
  }

  #changed(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  #until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!holds()) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }

  advance(time: Millis): void {
    this.#now += time;
    for (const timer of [...this.#pending]) {
      if (timer.at <= this.#now && this.#pending.delete(timer)) timer.fire();
    }
  }
}
