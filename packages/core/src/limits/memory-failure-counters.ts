import type { EpochMillis, Millis } from '../platform/clock';
import type { MetricsRegistry } from '../platform/metrics';
import type { FailureCounters, FailureLimit } from '../state/failure-counters';

interface Failures {
  readonly count: number;
  /** When they are forgotten; of a lock, when it ends. */
  readonly until: EpochMillis;
  readonly locked: boolean;
}

/** Failures that this process alone counts. Whoever failed longest ago makes room. */
export class MemoryFailureCounters implements FailureCounters {
  readonly #failures = new Map<string, Failures>();

  /** @param max subjects at the same time: `TANDEM_LOGIN_SUBJECTS_MAX` */
  constructor(
    private readonly max: number,
    metrics: MetricsRegistry,
  ) {
    metrics.gauge(
      'tandem_login_subjects',
      'Accounts and addresses whose failed logins this process remembers',
      () => this.#failures.size,
    );
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
    this.#keep(subject, { count, until: now + (locked ? lock : window), locked });
    return locked ? lock : 0;
  }

  async succeed(subject: string): Promise<void> {
    if (!this.#failures.get(subject)?.locked) this.#failures.delete(subject);
  }

  #current(subject: string, now: EpochMillis): Failures | undefined {
    const failures = this.#failures.get(subject);
    return failures && failures.until > now ? failures : undefined;
  }

  #keep(subject: string, failures: Failures): void {
    this.#failures.delete(subject);
    this.#failures.set(subject, failures);
    if (this.#failures.size <= this.max) return;
    const [oldest] = this.#failures.keys();
    if (oldest !== undefined) this.#failures.delete(oldest);
  }
}
