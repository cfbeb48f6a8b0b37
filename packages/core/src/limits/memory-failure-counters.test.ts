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
    expect(metrics.value('tandem_login_subjects')).toBe(2);
  });

  it('let go of what is over first, then of who is not locked, and of a lock only for another one', async () => {
    const few = new MemoryFailureCounters(2, new MetricsRegistry());
    const locks = { max: 1, window: 10, lock: 10 };
    const counts = { max: 2, window: 10, lock: 10 };
    await few.fail('locked', locks, 0);
    for (const subject of ['a', 'b', 'c']) await few.fail(subject, counts, 1);
    expect(await few.locked('locked', 2)).toBe(8);
    await few.fail('c', counts, 2);
    expect(await few.locked('c', 3)).toBe(9);
    await few.fail('d', locks, 3);
    expect([await few.locked('locked', 4), await few.locked('c', 4), await few.locked('d', 4)]).toEqual([0, 8, 9]);
    // The lock of `c` is over: it goes before what counts on.
    await few.fail('e', counts, 12);
    await few.fail('e', counts, 12);
    expect([await few.locked('d', 12), await few.locked('e', 12)]).toEqual([1, 10]);
  });
});
