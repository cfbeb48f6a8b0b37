import type { Clock, Millis } from '../platform/clock';

/** Which addresses are locked, as this process knows; asked for every message, so it costs nothing while there are none. */
export class LockedAddresses {
  /** When each lock ends, monotonic; the one made longest ago first. */
  readonly #until = new Map<string, Millis>();

  /** @param max those locked longest ago make room */
  constructor(
    private readonly max: number,
    private readonly clock: Pick<Clock, 'monotonic'>,
  ) {}

  get any(): boolean {
    return this.#until.size > 0 && this.size > 0;
  }

  get size(): number {
    const now = this.clock.monotonic();
    for (const [address, until] of this.#until) {
      if (until > now) break;
      this.#until.delete(address);
    }
    return this.#until.size;
  }

  /** @returns whether it was not locked before */
  add(address: string, lock: Millis): boolean {
    const isNew = this.left(address) === 0;
    this.#until.delete(address);
    const [oldest] = this.size >= this.max ? this.#until.keys() : [];
    if (oldest !== undefined) this.#until.delete(oldest);
    this.#until.set(address, this.clock.monotonic() + lock);
    return isNew;
  }

  /** How long it is still locked; 0 when it is not. */
  left(address: string): Millis {
    return Math.max((this.#until.get(address) ?? 0) - this.clock.monotonic(), 0);
  }
}
