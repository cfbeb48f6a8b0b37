import type { EpochMillis, Millis } from '../platform/clock';
import type { MetricsRegistry } from '../platform/metrics';
import type { Attempt, FailureCounters, FailureLimit } from '../state/failure-counters';

type Subjects = 'tandem_login_subjects' | 'tandem_wrong_credentials_addresses' | 'tandem_provision_subjects';

interface Failures {
  readonly count: number;
  /** Under way. */
  readonly tries: number;
  /** When they are forgotten; of a lock, when it ends. */
  readonly until: EpochMillis;
  readonly locked: boolean;
}

/**
 * Failures that this process alone counts. Room is made by whoever failed longest ago, but a lock that has not ended is let go
 * only where there is nothing else: or one could unlock an account by failing for many others.
 */
export class MemoryFailureCounters implements FailureCounters {
  readonly #open = new Map<string, Failures>();
  readonly #locked = new Map<string, Failures>();

  /**
   * @param max subjects at the same time: `TANDEM_LOGIN_SUBJECTS_MAX`
   * @param gauge metric of how many there are
   */
  constructor(
    private readonly max: number,
    metrics: MetricsRegistry,
    gauge: Subjects = 'tandem_login_subjects',
  ) {
    metrics.gauge(gauge, () => this.#open.size + this.#locked.size);
  }

  async locked(subject: string, now: EpochMillis): Promise<Millis> {
    const failures = this.#current(subject, now);
    return failures?.locked ? failures.until - now : 0;
  }

  async fail(
    subject: string,
    { max, window, lock }: FailureLimit,
    now: EpochMillis,
    { attempted = false } = {},
  ): Promise<Millis> {
    const failures = this.#current(subject, now);
    if (failures?.locked) return failures.until - now;
    const count = (failures?.count ?? 0) + 1;
    const tries = Math.max((failures?.tries ?? 0) - (attempted ? 1 : 0), 0);
    const locked = count >= max;
    this.#keep(subject, { count, tries, until: now + (locked ? lock : window), locked }, now);
    return locked ? lock : 0;
  }

  async attempt(subject: string, { max, window }: FailureLimit, now: EpochMillis): Promise<Attempt> {
    const failures = this.#current(subject, now) ?? { count: 0, tries: 0, until: now + window, locked: false };
    if (failures.locked) return { taken: false, lock: failures.until - now };
    if (failures.count + failures.tries >= max) return { taken: false, lock: 0 };
    this.#keep(subject, { ...failures, tries: failures.tries + 1 }, now);
    return { taken: true };
  }

  isSpent(subject: string, { max }: FailureLimit, now: EpochMillis): boolean {
    const failures = this.#current(subject, now);
    return failures !== undefined && (failures.locked || failures.count + failures.tries >= max);
  }

  async giveBack(subject: string, now: EpochMillis): Promise<void> {
    const failures = this.#current(subject, now);
    if (!failures || failures.locked || failures.tries === 0) return;
    if (failures.count + failures.tries === 1) this.#open.delete(subject);
    else this.#keep(subject, { ...failures, tries: failures.tries - 1 }, now);
  }

  async succeed(subject: string): Promise<void> {
    this.#open.delete(subject);
  }

  #current(subject: string, now: EpochMillis): Failures | undefined {
    const failures = this.#locked.get(subject) ?? this.#open.get(subject);
    return failures && failures.until > now ? failures : undefined;
  }

  #keep(subject: string, failures: Failures, now: EpochMillis): void {
    this.#open.delete(subject);
    this.#locked.delete(subject);
    this.#makeRoom(now);
    (failures.locked ? this.#locked : this.#open).set(subject, failures);
  }

  #makeRoom(now: EpochMillis): void {
    if (this.#open.size + this.#locked.size < this.max) return;
    const [lock] = this.#locked;
    const over = lock !== undefined && lock[1].until <= now;
    const from = over || this.#open.size === 0 ? this.#locked : this.#open;
    const [oldest] = from.keys();
    if (oldest !== undefined) from.delete(oldest);
  }
}
