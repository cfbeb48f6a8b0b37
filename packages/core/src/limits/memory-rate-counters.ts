import type { EpochMillis } from '../platform/clock';
import type { MetricsRegistry } from '../platform/metrics';
import type { RateCounters, RateDemand, RateOwner, RateTaken } from '../state/rate-counters';
import { filled, holds, type TokenBucket, waitFor } from './token-bucket';

/** Buckets of this process alone. The one used longest ago makes room, and is full when it is needed again. */
export class MemoryRateCounters implements RateCounters {
  readonly #buckets = new Map<string, TokenBucket>();

  /**
   * @param max buckets at the same time: `TANDEM_RATE_LIMIT_BUCKETS_MAX`
   * @param gauge metric of how many there are
   */
  constructor(
    private readonly max: number,
    metrics: MetricsRegistry,
    gauge: 'tandem_rate_limit_buckets' | 'tandem_rate_limit_fallback_buckets',
  ) {
    metrics.gauge(gauge, () => this.#buckets.size);
  }

  async take(owner: RateOwner, demands: readonly RateDemand[], now: EpochMillis): Promise<RateTaken> {
    const wanted = demands.map((demand) => {
      const name = bucketName(owner, demand);
      return { demand, name, bucket: filled(this.#buckets.get(name), demand.limit, now) };
    });
    let refused: { demand: RateDemand; retryAfter: number } | undefined;
    for (const { demand, bucket } of wanted) {
      if (holds(bucket, demand.cost)) continue;
      const retryAfter = waitFor(bucket, demand.limit, demand.cost, now);
      if (!refused || retryAfter > refused.retryAfter) refused = { demand, retryAfter };
    }
    for (const { demand, name, bucket } of wanted) {
      const tokens = refused ? bucket.tokens : left(bucket, demand);
      this.#keep(name, { tokens, at: bucket.at });
    }
    return refused ? { ok: false, ...refused } : { ok: true };
  }

  #keep(name: string, bucket: TokenBucket): void {
    this.#buckets.delete(name);
    this.#buckets.set(name, bucket);
    if (this.#buckets.size <= this.max) return;
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}

const left = ({ tokens }: TokenBucket, { cost, limit }: RateDemand): number =>
  Math.min(Math.max(tokens - cost, 0), limit.count);

const bucketName = ({ scope, id }: RateOwner, { what, limit }: RateDemand): string =>
  `${scope} ${id} ${what} ${limit.count}:${limit.seconds}`;
