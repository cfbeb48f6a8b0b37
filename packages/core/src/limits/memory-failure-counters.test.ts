import { MetricsRegistry } from '../platform/metrics';
import { describeFailureCounters } from '../testing/failure-counters-contract';
import { MemoryFailureCounters } from './memory-failure-counters';

describe('The failures that one process counts', () => {
  let counters: MemoryFailureCounters;
  const metrics = new MetricsRegistry();
  beforeEach(() => {
    counters = new MemoryFailureCounters(1_000, new MetricsRegistry());
  });
  describeFailureCounters(() => counters);

  it('are those of the last who failed', async () => {
    const few = new MemoryFailureCounters(2, metrics);
    const limit = { max: 1, window: 10, lock: 10 };
    for (const subject of ['a', 'b', 'c']) await few.fail(subject, limit, 0);
    expect([await few.locked('a', 1), await few.locked('b', 1), await few.locked('c', 1)]).toEqual([0, 9, 9]);
    expect(
      metrics
        .list()
        .find(({ name }) => name === 'tandem_login_subjects')
        ?.read(),
    ).toBe(2);
  });
});
