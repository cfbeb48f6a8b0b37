import type { EpochMillis, Millis } from '../platform/clock';
import type { MetricsRegistry } from '../platform/metrics';
import type { FailureCounters, FailureLimit } from '../state/failure-counters';

interface Failures {
  readonly count: number;
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

  /** @param max subjects at the same time: `TANDEM_LOGIN_SUBJECTS_MAX` */
  constructor(
    private readonly max: number,
    metrics: MetricsRegistry,
    gauge = {
      name: 'tandem_login_subjects',
      help: 'Accounts and addresses whose failed logins this process remembers',
    },
  ) {
    metrics.gauge(gauge.name, gauge.help, () => this.#open.size + this.#locked.size);
  }

  async locked(subject: string, now: EpochMillis): Promise<Millis> {
    const failures = this.#current(subject, now);
    return failures?.locked ? failures.until - now : 0;
  }

  async fail(subject: string, { max, window, lock }: FailureLimit, now: EpochMillis): Promise<Millis> {
    const failures = this.#current(subject, now);
    if (failures?.locked) return failures.until - now;
    const count = (failures?.count ?? 0) + 1;
    const locked = count >= max;
    this.#keep(subject, { count, until: now + (locked ? lock : window), locked }, now);
    return locked ? lock : 0;
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
