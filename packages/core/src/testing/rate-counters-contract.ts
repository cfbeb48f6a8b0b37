import { randomUUID } from 'node:crypto';
import type { RateCounters, RateDemand, RateOwner } from '../state/rate-counters';
import { CREATED } from './builders';
import { type MakeStore, useSharedStore } from './store-under-test';

const aDemand = (count: number, seconds: number, cost = 1, what = 'messages'): RateDemand => ({
  what,
  limit: { count, seconds },
  cost,
});

export function describeRateCountersContract(makeStore: MakeStore): void {
  describe('A store', () => {
    const store = useSharedStore(makeStore);
    describeRateCounters(() => store.state.rateCounters);
  });
}

/** @param counters the same within one test */
export function describeRateCounters(counters: () => RateCounters): void {
  describe('RateCounters', () => {
    let owner: RateOwner;
    beforeEach(() => {
      owner = { scope: 'device', id: randomUUID() };
    });

    /** Milliseconds after CREATED; how long to wait, 0 where it was taken. */
    async function take(at: number, ...demands: RateDemand[]): Promise<number> {
      const taken = await counters().take(owner, demands, CREATED + at);
      return taken.ok ? 0 : taken.retryAfter;
    }

    it('let through as many as the limit says, and then say when the next one may come', async () => {
      const demand = aDemand(4, 2);
      for (let n = 0; n < 4; n++) expect(await take(0, demand)).toBe(0);
      expect(await counters().take(owner, [demand], CREATED)).toEqual({ ok: false, demand, retryAfter: 500 });
      expect(await take(499, demand)).toBe(1);
      expect(await take(500, demand)).toBe(0);
      expect(await take(500, demand)).toBe(500);
    });

    it('fill evenly, up to the count and no further', async () => {
      const demand = aDemand(10, 1);
      for (let n = 0; n < 10; n++) await take(0, demand);
      for (let n = 1; n <= 30; n++) expect(await take(n * 100, demand)).toBe(0);
      for (let n = 0; n < 10; n++) expect(await take(60_000, demand)).toBe(0);
      expect(await take(60_000, demand)).toBeGreaterThan(0);
    });

    it('come out where they say also when the parts of a second are no whole numbers', async () => {
      const demand = aDemand(3, 1);
      for (let n = 0; n < 3; n++) await take(0, demand);
      for (let at = 0, n = 0; n < 50; n++) {
        const wait = await take(at, demand);
        expect(wait).toBeGreaterThan(0);
        at += wait;
        expect(await take(at, demand)).toBe(0);
      }
    });

    it('take the whole cost or nothing', async () => {
      expect(await take(0, aDemand(10, 10, 7))).toBe(0);
      expect(await take(0, aDemand(10, 10, 5))).toBe(2_000);
      expect(await take(0, aDemand(10, 10, 3))).toBe(0);
      expect(await take(0, aDemand(10, 10, 1))).toBe(1_000);
    });

    it('take from all buckets or from none, and name the one that takes longest', async () => {
      const [second, minute] = [aDemand(2, 1), aDemand(3, 60)];
      expect(await take(0, second, minute)).toBe(0);
      expect(await take(0, second, minute)).toBe(0);
      expect(await counters().take(owner, [second, minute], CREATED)).toEqual({
        ok: false,
        demand: second,
        retryAfter: 500,
      });
      expect(await take(1_000, second, minute)).toBe(0);
      const refused = await counters().take(owner, [second, minute], CREATED + 1_000);
      expect(refused).toMatchObject({ ok: false, demand: minute });
      // The refusals have taken nothing of the second's bucket.
      expect(await take(1_000, second)).toBe(0);
      expect(await take(1_000, second)).toBeGreaterThan(0);
    });

    it('never meet a cost beyond the count, and take nothing for it', async () => {
      expect(await take(0, aDemand(5, 10, 6))).toBe(10_000);
      expect(await take(1_000_000, aDemand(5, 10, 6))).toBe(10_000);
      expect(await take(1_000_000, aDemand(5, 10, 5))).toBe(0);
      expect(await take(1_000_000, aDemand(5, 10, 6))).toBe(10_000);
    });

    it('keep owners, what is counted, and limits apart', async () => {
      const { id } = owner;
      const owners: RateOwner[] = [
        { scope: 'device', id },
        { scope: 'tenant', id },
        { scope: 'user', id },
        { scope: 'device', id: randomUUID() },
      ];
      for (owner of owners) {
        for (const demand of [aDemand(1, 10), aDemand(1, 10, 1, 'data points'), aDemand(1, 20), aDemand(2, 10, 2)]) {
          expect(await take(0, demand)).toBe(0);
          expect(await take(0, demand)).toBeGreaterThan(0);
        }
      }
    });

    it('take back what is not needed, and hold no more for it than they can', async () => {
      const [one, back] = [aDemand(2, 10), aDemand(2, 10, -1)];
      expect(await take(0, back)).toBe(0);
      for (let n = 0; n < 2; n++) expect(await take(0, one)).toBe(0);
      expect(await take(0, one)).toBe(5_000);
      expect(await take(0, back)).toBe(0);
      expect(await take(0, one)).toBe(0);
      expect(await take(0, one)).toBe(5_000);
    });

    it('let no more through when many ask at once', async () => {
      const asked = await Promise.all(Array.from({ length: 50 }, () => take(0, aDemand(20, 100))));
      expect(asked.filter((wait) => wait === 0)).toHaveLength(20);
    });

    it('do not fill when the clock goes back, and are not stuck when it went back for good', async () => {
      const demand = aDemand(1, 10);
      expect(await take(0, demand)).toBe(0);
      expect(await take(-5_000, demand)).toBe(15_000);
      expect(await take(5_000, demand)).toBe(5_000);
      expect(await take(-100_000, demand)).toBe(5_000);
      expect(await take(-96_000, demand)).toBe(1_000);
      expect(await take(-95_000, demand)).toBe(0);
    });
  });
}
