import type { Uuid } from './model';

/** Which devices (or whatever has an id) have changed of late. Of those that changed longer ago it says that they may have. */
export class RecentChanges {
  /** Device -> number of its last change, oldest first. */
  readonly #last = new Map<Uuid, number>();
  /** Every device may have changed up to there. */
  #forgotten = 0;
  #count = 0;

  constructor(private readonly max: number) {}

  /** Changes so far. */
  get count(): number {
    return this.#count;
  }

  of(deviceId: Uuid): void {
    this.#last.delete(deviceId);
    this.#last.set(deviceId, ++this.#count);
    if (this.#last.size <= this.max) return;
    const [oldest] = this.#last;
    if (!oldest) return;
    this.#last.delete(oldest[0]);
    this.#forgotten = oldest[1];
  }

  /** Any device may have changed. */
  all(): void {
    this.#last.clear();
    this.#forgotten = ++this.#count;
  }

  /** Whether it may have changed after `count` was this; below 0: whether it may ever have. */
  since(count: number, deviceId: Uuid): boolean {
    return (this.#last.get(deviceId) ?? this.#forgotten) > count;
  }
}
