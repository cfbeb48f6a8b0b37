import type { Clock, Millis } from '../platform/clock';
import { inTime } from '../platform/in-time';
import type { Logger } from '../platform/logger';
import type { MetricsRegistry } from '../platform/metrics';
import type { RateCounters, RateDemand, RateOwner, RateTaken } from '../state/rate-counters';
import { MemoryRateCounters } from './memory-rate-counters';

/** How long nobody asks a store that did not answer. */
const PAUSE: Millis = 1_000;

/** How often the log says that limits hold for each process alone. */
const QUIET: Millis = 60_000;

/**
 * The counters of the store as long as it answers in time, else buckets of this process: a limit is not worth waiting for. After
 * a question that was not answered all are decided here for a while, and then one tries whether the store is back.
 */
export class FallbackCounters {
  readonly #alone: RateCounters;
  readonly #unshared: { add(): void };
  #askAgainAt: Millis = Number.NEGATIVE_INFINITY;
  #away = false;
  #saidAt: Millis = Number.NEGATIVE_INFINITY;

  /** @param bucketsMax buckets that this process keeps: `TANDEM_RATE_LIMIT_BUCKETS_MAX` */
  constructor(
    private readonly shared: RateCounters,
    bucketsMax: number,
    private readonly clock: Clock,
    private readonly logger: Logger,
    metrics: MetricsRegistry,
  ) {
    this.#alone = new MemoryRateCounters(bucketsMax, metrics, 'tandem_rate_limit_fallback_buckets');
    this.#unshared = metrics.counter('tandem_rate_limit_fallbacks_total');
  }

  /** @param answerBy monotonic; what the store says later is not waited for */
  async take(owner: RateOwner, demands: readonly RateDemand[], answerBy: Millis): Promise<RateTaken> {
    const now = this.clock.now();
    if (!this.#away || this.clock.monotonic() >= this.#askAgainAt) {
      // The others go on alone until this one has its answer.
      if (this.#away) this.#askAgainAt = Number.POSITIVE_INFINITY;
      try {
        const taken = await inTime(this.shared.take(owner, demands, now), answerBy, this.clock);
        this.#away = false;
        return taken;
      } catch (error) {
        this.#away = true;
        this.#askAgainAt = this.clock.monotonic() + PAUSE;
        this.#sayOnce(error);
      }
    }
    this.#unshared.add();
    return this.#alone.take(owner, demands, now);
  }

  #sayOnce(error: unknown): void {
    if (this.clock.monotonic() - this.#saidAt < QUIET) return;
    this.#saidAt = this.clock.monotonic();
    this.logger.warn('the store does not count for rate limits; each process counts alone', { error: String(error) });
  }
}
