import { randomUUID } from 'node:crypto';
import type { FailureCounters } from '../state/failure-counters';
import { CREATED } from './builders';
import { type MakeStore, useSharedStore } from './store-under-test';

const LIMIT = { max: 3, window: 1_000, lock: 5_000 };

export function describeFailureCountersContract(makeStore: MakeStore): void {
  describe('A store', () => {
    const store = useSharedStore(makeStore);
    describeFailureCounters(() => store.state.failures);
  });
}

/** @param counters the same within one test */
export function describeFailureCounters(counters: () => FailureCounters): void {
  describe('FailureCounters', () => {
    let subject: string;
    beforeEach(() => {
      subject = `account ${randomUUID()}`;
    });
    /** Milliseconds after CREATED. */
    const fail = (at: number, of = subject) => counters().fail(of, LIMIT, CREATED + at);
    const locked = (at: number, of = subject) => counters().locked(of, CREATED + at);

    it('lock whoever fails as often as the limit says, for its time, and nobody else', async () => {
      expect([await fail(0), await fail(1), await locked(1)]).toEqual([0, 0, 0]);
      expect(await fail(2)).toBe(5_000);
      expect([await locked(2), await locked(5_001), await locked(5_002)]).toEqual([5_000, 1, 0]);
      expect(await locked(2, `another ${subject}`)).toBe(0);
    });

    it('do not make a lock longer, and count anew when it is over', async () => {
      for (const at of [0, 1, 2]) await fail(at);
      expect(await fail(1_000)).toBe(4_002);
      expect(await locked(5_002)).toBe(0);
      expect([await fail(5_002), await fail(5_003), await fail(5_004)]).toEqual([0, 0, 5_000]);
    });

    it('forget failures that no other one followed in time', async () => {
      expect([await fail(0), await fail(999), await fail(1_999)]).toEqual([0, 0, 0]);
      expect([await fail(2_000), await fail(2_001)]).toEqual([0, 5_000]);
    });

    it('forget the failures of who succeeds, but no lock', async () => {
      for (const at of [0, 1]) await fail(at);
      await counters().succeed(subject);
      expect([await fail(2), await fail(3), await fail(4)]).toEqual([0, 0, 5_000]);
      await counters().succeed(subject);
      expect(await locked(5)).toBe(4_999);
    });

    it('count those that come at once one by one', async () => {
      const outcomes = await Promise.all(Array.from({ length: 5 }, () => fail(0)));
      expect(outcomes.filter((wait) => wait === 0)).toHaveLength(2);
    });

    describe('of tries that are taken before it is known what becomes of them', () => {
      const attempt = (at: number) => counters().attempt(subject, LIMIT, CREATED + at);
      const failed = (at: number) => counters().fail(subject, LIMIT, CREATED + at, { attempted: true });
      const giveBack = (at: number) => counters().giveBack(subject, CREATED + at);
      const TAKEN = { taken: true };

      it('let as many be under way as may fail, also of many that come at once', async () => {
        const outcomes = await Promise.all(Array.from({ length: 10 }, () => attempt(0)));
        expect(outcomes.filter(({ taken }) => taken)).toHaveLength(3);
        expect(outcomes.filter(({ taken }) => !taken)[0]).toEqual({ taken: false, lock: 0 });
        await giveBack(1);
        expect([await attempt(1), await attempt(1)]).toEqual([TAKEN, { taken: false, lock: 0 }]);
      });

      it('lock whoever fails with all of them, and with fewer where some failed before', async () => {
        await fail(0);
        expect([await attempt(1), await attempt(1), (await attempt(1)).taken]).toEqual([TAKEN, TAKEN, false]);
        expect([await failed(2), await failed(3)]).toEqual([0, 5_000]);
        expect(await attempt(4)).toEqual({ taken: false, lock: 4_999 });
        expect(await attempt(5_003)).toEqual(TAKEN);
      });

      it('count nothing for those given back, and forget those that nobody ends', async () => {
        for (let n = 0; n < 10; n++) {
          expect(await attempt(n)).toEqual(TAKEN);
          await giveBack(n);
        }
        for (let n = 0; n < 3; n++) expect(await attempt(100)).toEqual(TAKEN);
        expect((await attempt(1_099)).taken).toBe(false);
        expect(await attempt(1_101)).toEqual(TAKEN);
      });

      it('give nothing back of a lock', async () => {
        for (let n = 0; n < 3; n++) await attempt(0);
        for (let n = 0; n < 2; n++) await failed(0);
        await fail(0);
        await giveBack(1);
        expect(await locked(1)).toBe(4_999);
      });
    });

    it('take any subject', async () => {
      for (const odd of ['', '\u0000', '{}:*', '\ud800', 'x'.repeat(10_000)]) {
        for (let n = 0; n < 3; n++) await fail(0, `${subject}${odd}`);
        expect(await locked(0, `${subject}${odd}`)).toBe(5_000);
      }
    });
  });
}
