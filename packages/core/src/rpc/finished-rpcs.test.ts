import { TandemError } from '../errors';
import { silentLogger } from '../platform/logger';
import { MetricsRegistry } from '../platform/metrics';
import type { RpcStore } from '../state/rpc-store';
import { CREATED } from '../testing/builders';
import { FakeClock } from '../testing/fake-clock';
import { FinishedRpcs } from './finished-rpcs';

const TTL = 60_000;

function trimming(ids: string[], remove: RpcStore['remove']) {
  const metrics = new MetricsRegistry();
  const asked: number[] = [];
  const rpcs: Pick<RpcStore, 'finished' | 'remove'> = {
    async finished(before, limit) {
      asked.push(before);
      return ids.slice(0, limit);
    },
    remove,
  };
  const finished = new FinishedRpcs(rpcs, TTL, new FakeClock(CREATED), silentLogger, metrics);
  return { finished, asked, removed: () => metrics.value('tandem_rpcs_outdated_total') };
}

describe('Finished persistent commands', () => {
  const names = (count: number) => Array.from({ length: count }, (_, n) => `${n}`);

  it('are removed once they are older than the time to live, step by step, and counted', async () => {
    const ids = names(1_200);
    const { finished, asked, removed } = trimming(ids, async (id) => ids.splice(ids.indexOf(id), 1).length > 0);
    await finished.trim();
    expect(ids).toEqual([]);
    expect(asked).toEqual([1, 2, 3].map(() => CREATED - TTL));
    expect(removed()).toBe(1_200);
  });

  it('are left for the next time when the gateway stops in between', async () => {
    const ids = names(1_200);
    const { finished } = trimming(ids, async (id) => ids.splice(ids.indexOf(id), 1).length > 0);
    await finished.trim(() => ids.length < 1_200);
    expect(ids).toHaveLength(700);
  });

  it('are no hindrance to each other when one cannot be removed, nor a reason to go on without end', async () => {
    const ids = names(500);
    const { finished, removed, asked } = trimming(ids, async (id) => {
      if (id === '7') throw new TandemError('INTERNAL');
      return true;
    });
    await finished.trim();
    expect([asked.length, removed()]).toEqual([1, 499]);
  });

  it('stay where the store is away, and whoever called hears of it', async () => {
    const { finished } = trimming(names(3), () => Promise.reject(new TandemError('STORE_UNAVAILABLE')));
    await expect(finished.trim()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  it('stay for ever where age does not count', async () => {
    const remove = jest.fn(async () => true);
    const rpcs = { finished: async () => names(3), remove };
    await new FinishedRpcs(rpcs, undefined, new FakeClock(CREATED), silentLogger, new MetricsRegistry()).trim();
    expect(remove).not.toHaveBeenCalled();
  });
});
