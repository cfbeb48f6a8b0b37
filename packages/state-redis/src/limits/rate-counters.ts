import type { EpochMillis, RateCounters, RateDemand, RateOwner, RateTaken } from '@tandem/core';
import { type Commands, loadScript } from '../client';
import type { Keys } from '../keys';

const TAKE = loadScript('rate-take');

/** One hash of buckets for each owner, in the slot of the device, tenant or user; one round trip for all that is demanded. */
export class RedisRateCounters implements RateCounters {
  constructor(
    private readonly commands: Commands,
    private readonly keys: Keys,
  ) {}

  async take({ scope, id }: RateOwner, demands: readonly RateDemand[], now: EpochMillis): Promise<RateTaken> {
    const key = this.keys[scope](id, 'rate');
    const wanted = demands.flatMap(({ what, limit, cost }) => [what, limit.count, limit.seconds, cost]);
    // Not worth waiting for replicas: what a lost master knew costs a few messages too many.
    const [worst, retryAfter] = await this.commands.run<number[]>(TAKE, [key], [now, ...wanted]);
    const demand = worst === undefined ? undefined : demands[worst];
    return demand && retryAfter !== undefined ? { ok: false, demand, retryAfter } : { ok: true };
  }
}
