import type { Uuid } from '../devices/model';
import type { Clock, Millis, Timer } from '../platform/clock';

/** Reads under way at the same time: enough to be through soon, few enough to leave the store to those who ask it. */
const READERS = 16;
/** How long after a failure the rest is tried again. */
const RETRY: Millis = 2_000;

/**
 * Looks at devices again whose changes may have gone by unheard, one read of the store for each. What cannot be read is
 * read later.
 */
export class SessionReview<Waiter, Stored> {
  /** No more than there are devices with waiters. */
  readonly #due = new Set<Uuid>();
  #readers = 0;
  #retry: Timer | undefined;

  constructor(
    private readonly read: (deviceId: Uuid, waiters: readonly Waiter[]) => Promise<Stored>,
    private readonly clock: Clock,
    private readonly waitersOf: (deviceId: Uuid) => readonly Waiter[],
    /** Called with what the store has now, for each who waited before it was read. */
    private readonly compare: (waiter: Waiter, stored: Stored) => void,
  ) {}

  /** Devices that have not been looked at yet. */
  get due(): number {
    return this.#due.size;
  }

  review(deviceIds: Iterable<Uuid>): void {
    for (const deviceId of deviceIds) this.#due.add(deviceId);
    this.#stopResting();
    this.#start();
  }

  /** One more, which does not make those wait less that could not be read. */
  add(deviceId: Uuid): void {
    this.#due.add(deviceId);
    this.#start();
  }

  /** Nobody waits on this device any more. */
  forget(deviceId: Uuid): void {
    if (this.#due.delete(deviceId) && this.#due.size === 0) this.#stopResting();
  }

  #start(): void {
    for (let n = Math.min(READERS, this.#due.size) - this.#readers; n > 0; n--) void this.#work();
  }

  async #work(): Promise<void> {
    this.#readers++;
    for (let deviceId = this.#take(); deviceId !== undefined; deviceId = this.#take()) await this.#look(deviceId);
    this.#readers--;
  }

  #take(): Uuid | undefined {
    if (this.#retry) return undefined;
    const [deviceId] = this.#due;
    if (deviceId !== undefined) this.#due.delete(deviceId);
    return deviceId;
  }

  async #look(deviceId: Uuid): Promise<void> {
    // Who comes while it is read has a session of now.
    const waiters = this.waitersOf(deviceId);
    try {
      const stored = await this.read(deviceId, waiters);
      const still = new Set(this.waitersOf(deviceId));
      for (const waiter of waiters) if (still.has(waiter)) this.compare(waiter, stored);
    } catch {
      if (this.waitersOf(deviceId).length === 0) return;
      this.#due.add(deviceId);
      this.#rest();
    }
  }

  #rest(): void {
    this.#retry ??= this.clock.setTimer(RETRY, () => {
      this.#retry = undefined;
      this.#start();
    });
  }

  #stopResting(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
  }
}
