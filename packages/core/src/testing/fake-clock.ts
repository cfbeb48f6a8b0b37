import type { Clock, EpochMillis, Millis, Timer } from '../platform/clock';

interface Pending {
  readonly due: Millis;
  readonly fire: () => void;
}

/** Time that stands still until a test moves it. */
export class FakeClock implements Clock {
  #elapsed: Millis = 0;
  readonly #pending = new Set<Pending>();

  constructor(private readonly start: EpochMillis = 1_700_000_000_000) {}

  now(): EpochMillis {
    return this.start + this.#elapsed;
  }

  monotonic(): Millis {
    return this.#elapsed;
  }

  setTimer(delay: Millis, fire: () => void): Timer {
    const pending: Pending = { due: this.#elapsed + Math.max(0, delay), fire };
    this.#pending.add(pending);
    return { cancel: () => void this.#pending.delete(pending) };
  }

  /** How many timers have neither fired nor been cancelled. */
  get timers(): number {
    return this.#pending.size;
  }

  /** Lets `duration` pass: timers fire when they are due, in order, those included that others set on the way. */
  advance(duration: Millis): void {
    const until = this.#elapsed + duration;
    for (let next = this.#nextDue(until); next; next = this.#nextDue(until)) {
      this.#pending.delete(next);
      this.#elapsed = next.due;
      next.fire();
    }
    this.#elapsed = until;
  }

  #nextDue(until: Millis): Pending | undefined {
    let first: Pending | undefined;
    for (const pending of this.#pending) {
      if (pending.due <= until && (!first || pending.due < first.due)) first = pending;
    }
    return first;
  }
}
