import type { Clock, Millis, Timer } from '@tandem/core';

/** Something that waits in a `TimerWheel`: the links are its own, so waiting allocates nothing. */
export abstract class TimerEntry {
  /** For the wheel only. */
  wheelNext: TimerEntry | undefined = undefined;
  /** For the wheel only. */
  wheelPrevious: TimerEntry | undefined = undefined;
  /** For the wheel only: -1 while it does not wait. */
  wheelSlot = -1;
  /** For the wheel only. */
  wheelTick = 0;

  /** The time is over; the entry is out of the wheel and may be scheduled again. */
  abstract expire(): void;
}

/**
 * Every wait of the endpoint in one hashed wheel on one timer. Scheduling and cancelling are a few pointer writes;
 * once armed the timer stays armed, so an exchange that ends at once never touches it. Fires up to one granule late,
 * never early.
 */
export class TimerWheel {
  readonly #clock: Clock;
  readonly #granule: Millis;
  readonly #slots: (TimerEntry | undefined)[];
  readonly #due: number;
  readonly #origin: Millis;
  #count = 0;
  /** All ticks up to and including this one are done. */
  #tick = 0;
  #timer: Timer | undefined;
  #armedFor = 0;
  #advancing = false;
  #stopped = false;

  constructor(clock: Clock, granule: Millis = 20, slots = 512) {
    this.#clock = clock;
    this.#granule = granule;
    // The slot behind the last one is the list of entries that are due, so that one of them can still be cancelled.
    this.#slots = new Array(slots + 1).fill(undefined);
    this.#due = slots;
    this.#origin = clock.monotonic();
  }

  /** How many entries wait. */
  get size(): number {
    return this.#count;
  }

  /** (Re)starts the entry's wait. @param now what the clock says, where the caller knows it */
  schedule(entry: TimerEntry, delay: Millis, now = this.#clock.monotonic()): void {
    if (this.#stopped) return;
    if (entry.wheelSlot !== -1) this.#unlink(entry);
    const due = (now - this.#origin + delay) / this.#granule;
    const tick = Math.max(Math.ceil(due), this.#tick + 1);
    entry.wheelTick = tick;
    this.#link(entry, tick % this.#due);
    if (this.#advancing) return;
    if (this.#timer === undefined || tick < this.#armedFor) this.#arm(tick);
  }

  cancel(entry: TimerEntry): void {
    if (entry.wheelSlot !== -1) this.#unlink(entry);
  }

  /** Nothing fires any more. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(tick: number): void {
    this.#timer?.cancel();
    this.#armedFor = tick;
    const delay = this.#origin + tick * this.#granule - this.#clock.monotonic();
    this.#timer = this.#clock.setTimer(Math.max(0, Math.ceil(delay)), this.#advance);
  }

  readonly #advance = (): void => {
    this.#timer = undefined;
    this.#advancing = true;
    const now = Math.floor((this.#clock.monotonic() - this.#origin) / this.#granule);
    const last = Math.min(now, this.#tick + this.#due);
    for (let tick = this.#tick + 1; tick <= last; tick++) this.#collect(tick % this.#due, now);
    if (now > this.#tick) this.#tick = now;
    for (let entry = this.#slots[this.#due]; entry !== undefined; entry = this.#slots[this.#due]) {
      this.#unlink(entry);
      entry.expire();
      if (this.#stopped) return;
    }
    this.#advancing = false;
    this.#rearm();
  };

  #collect(slot: number, now: number): void {
    let entry = this.#slots[slot];
    while (entry !== undefined) {
      const next: TimerEntry | undefined = entry.wheelNext;
      if (entry.wheelTick <= now) {
        this.#unlink(entry);
        this.#link(entry, this.#due);
      }
      entry = next;
    }
  }

  #rearm(): void {
    if (this.#count === 0) return;
    for (let tick = this.#tick + 1; tick <= this.#tick + this.#due; tick++) {
      if (this.#slots[tick % this.#due] !== undefined) {
        this.#arm(tick);
        return;
      }
    }
  }

  #link(entry: TimerEntry, slot: number): void {
    const head = this.#slots[slot];
    entry.wheelSlot = slot;
    entry.wheelNext = head;
    entry.wheelPrevious = undefined;
    if (head !== undefined) head.wheelPrevious = entry;
    this.#slots[slot] = entry;
    this.#count++;
  }

  #unlink(entry: TimerEntry): void {
    const { wheelNext: next, wheelPrevious: previous } = entry;
    if (previous === undefined) this.#slots[entry.wheelSlot] = next;
    else previous.wheelNext = next;
    if (next !== undefined) next.wheelPrevious = previous;
    entry.wheelNext = undefined;
    entry.wheelPrevious = undefined;
    entry.wheelSlot = -1;
    this.#count--;
  }
}
