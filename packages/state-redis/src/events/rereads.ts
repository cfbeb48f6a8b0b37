import type { Clock, Millis, Timer } from '@tandem/core';

/** Has its turn once in every interval. */
export interface Turn {
  /** Which part of the interval it has; given by `Rereads`. */
  part: number;
}

const PARTS = 150;
const SHORTEST_PART: Millis = 20;
/** How many have their turn at once after a reconnection, and the time until the next ones do. */
const BATCH = 100;
const BATCH_PAUSE: Millis = 10;

/** Wakes everybody once in an interval, a few at a time, so that thousands of waiters are no burst of reads. */
export class Rereads<T extends Turn> {
  readonly #parts: Set<T>[];
  readonly #soon = new Set<T>();
  #size = 0;
  #next = 0;
  #now = 0;
  #wheel: Timer | undefined;
  #batch: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly interval: Millis,
    private readonly wake: (turn: T) => void,
  ) {
    const parts = Math.max(1, Math.min(PARTS, Math.floor(interval / SHORTEST_PART)));
    this.#parts = Array.from({ length: parts }, () => new Set());
  }

  add(turn: T): void {
    turn.part = this.#next;
    this.#next = (this.#next + 1) % this.#parts.length;
    this.#parts[turn.part]?.add(turn);
    this.#size++;
    this.#wheel ??= this.#tick();
  }

  remove(turn: T): void {
    if (!this.#parts[turn.part]?.delete(turn)) return;
    this.#soon.delete(turn);
    this.#size--;
    if (this.#size > 0) return;
    this.close();
  }

  /** Out of turn, batch after batch. */
  soon(turns: Iterable<T>): void {
    for (const turn of turns) if (this.#parts[turn.part]?.has(turn)) this.#soon.add(turn);
    if (this.#soon.size > 0) this.#batch ??= this.clock.setTimer(0, () => this.#wakeBatch());
  }

  close(): void {
    this.#wheel?.cancel();
    this.#batch?.cancel();
    this.#wheel = undefined;
    this.#batch = undefined;
    this.#soon.clear();
  }

  #tick(): Timer {
    return this.clock.setTimer(this.interval / this.#parts.length, () => {
      this.#wheel = this.#tick();
      this.#now = (this.#now + 1) % this.#parts.length;
      for (const turn of [...(this.#parts[this.#now] ?? [])]) this.wake(turn);
    });
  }

  #wakeBatch(): void {
    this.#batch = undefined;
    const batch: T[] = [];
    for (const turn of this.#soon) {
      batch.push(turn);
      if (batch.length === BATCH) break;
    }
    for (const turn of batch) this.#soon.delete(turn);
    if (this.#soon.size > 0) this.#batch = this.clock.setTimer(BATCH_PAUSE, () => this.#wakeBatch());
    for (const turn of batch) this.wake(turn);
  }
}
