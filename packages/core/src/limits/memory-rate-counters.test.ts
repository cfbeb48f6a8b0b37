import { MetricsRegistry } from '../platform/metrics';
import type { RateDemand, RateOwner } from '../state/rate-counters';
import { CREATED } from '../testing/builders';
import { describeRateCounters } from '../testing/rate-counters-contract';
import { MemoryRateCounters } from './memory-rate-counters';

describe('Kept in memory:', () => {
  let counters: MemoryRateCounters;
  beforeEach(() => {
    counters = new MemoryRateCounters(1_000, new MetricsRegistry(), 'tandem_rate_limit_buckets');
  });
  describeRateCounters(() => counters);
});

it('buckets are bounded, and the one used longest ago makes room', async () => {
  const metrics = new MetricsRegistry();
  const counters = new MemoryRateCounters(2, metrics, 'tandem_rate_limit_buckets');
  const demands: RateDemand[] = [{ what: 'messages', limit: { count: 1, seconds: 10 }, cost: 1 }];
  const take = async (id: string) => {
    const owner: RateOwner = { scope: 'device', id };
    return (await counters.take(owner, demands, CREATED)).ok;
  };
  expect([await take('a'), await take('b'), await take('a')]).toEqual([true, true, false]);
  expect(await take('c')).toBe(true);
  expect(metrics.value('tandem_rate_limit_buckets')).toBe(2);
  expect([await take('a'), await take('b')]).toEqual([false, true]);
});
