import type { DeviceProfile } from '../devices/model';
import { TandemError } from '../errors';
import type { Clock } from '../platform/clock';
import type { MetricsRegistry } from '../platform/metrics';
import type { RateCounters, RateLimit } from '../state/rate-counters';
import type { ProvisionOutcome } from './provision-outcome';

/** Keeps a key in wrong hands from making devices without end: how many a profile lets in within a time. */
export class ProvisionRate {
  readonly #throttled: { add(): void };

  constructor(
    private readonly counters: RateCounters,
    /** `TANDEM_PROVISION_RATE` */
    private readonly limits: readonly RateLimit[],
    private readonly clock: Clock,
    metrics: MetricsRegistry,
  ) {
    this.#throttled = metrics.counter('tandem_limit_hits_total', { limit: 'TANDEM_PROVISION_RATE' });
  }

  /**
   * Counts what is made, before it is made; of what comes to nothing nothing is counted.
   * @throws TandemError TOO_MANY_REQUESTS, before the work, and whatever the work throws
   */
  async of<T extends ProvisionOutcome | string>(profile: DeviceProfile, make: () => Promise<T>): Promise<T> {
    if (this.limits.length === 0) return make();
    const taken = await this.#count(profile, 1);
    if (!taken.ok) {
      this.#throttled.add();
      const { count, seconds } = taken.demand.limit;
      throw new TandemError('TOO_MANY_REQUESTS', {
        message: `Too many new devices of this profile! At most ${count} in ${seconds} s`,
        retryAfter: taken.retryAfter,
      });
    }
    let made = false;
    try {
      const outcome = await make();
      made = typeof outcome !== 'string';
      return outcome;
    } finally {
      if (!made) await this.#count(profile, -1).catch(() => {});
    }
  }

  #count({ tenantId, id }: DeviceProfile, cost: number) {
    const demands = this.limits.map((limit) => ({ what: `new devices of ${id}`, limit, cost }));
    return this.counters.take({ scope: 'tenant', id: tenantId }, demands, this.clock.now());
  }
}
