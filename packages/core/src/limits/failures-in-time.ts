import type { Clock, EpochMillis, Millis } from '../platform/clock';
import { inTime } from '../platform/in-time';
import type { Logger } from '../platform/logger';
import type { MetricsRegistry } from '../platform/metrics';
import type { Attempt, FailureCounters, FailureLimit } from '../state/failure-counters';

/**
 * Failures that all processes count together as far as the store answers in time, and this process in any case: who guesses is
 * locked here when the store is away, and nobody waits for it. Tries are this process's own: a process that dies with some of them
 * under way must not keep others from theirs.
 */
export class FailuresInTime implements FailureCounters {
  readonly #unshared: { add(): void };

  /** @param timeout how long the store is waited for */
  constructor(
    private readonly alone: FailureCounters,
    private readonly shared: FailureCounters,
    private readonly timeout: Millis,
    private readonly clock: Clock,
    private readonly logger: Logger,
    metrics: MetricsRegistry,
  ) {
    this.#unshared = metrics.counter('tandem_wrong_credentials_unshared_total');
  }

  async locked(subject: string, now: EpochMillis): Promise<Millis> {
    return longer(this.alone.locked(subject, now), this.#asked(this.shared.locked(subject, now)));
  }

  async fail(
    subject: string,
    limit: FailureLimit,
    now: EpochMillis,
    options?: { readonly attempted?: boolean },
  ): Promise<Millis> {
    return longer(this.alone.fail(subject, limit, now, options), this.#asked(this.shared.fail(subject, limit, now)));
  }

  attempt(subject: string, limit: FailureLimit, now: EpochMillis): Promise<Attempt> {
    return this.alone.attempt(subject, limit, now);
  }

  isSpent(subject: string, limit: FailureLimit, now: EpochMillis): boolean {
    return this.alone.isSpent?.(subject, limit, now) ?? false;
  }

  giveBack(subject: string, now: EpochMillis): Promise<void> {
    return this.alone.giveBack(subject, now);
  }

  async succeed(subject: string): Promise<void> {
    await Promise.all([this.alone.succeed(subject), this.shared.succeed(subject)]);
  }

  #asked(answer: Promise<Millis>): Promise<Millis> {
    return inTime(answer, this.clock.monotonic() + this.timeout, this.clock).catch((error) => {
      this.#unshared.add();
      this.logger.warn('the store does not count wrong credentials; each process counts alone', {
        error: String(error),
      });
      return 0;
    });
  }
}

const longer = async (one: Promise<Millis>, other: Promise<Millis>): Promise<Millis> =>
  Math.max(...(await Promise.all([one, other])));
