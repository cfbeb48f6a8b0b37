import { trustedValue } from '../payload/value';
import type { LogFields } from '../platform/logger';
import { silentLogger } from '../platform/logger';
import type { Deletion } from '../state/telemetry-view';
import { encodeRecords } from '../telemetry/record-lines';
import { aMessage, entriesOf } from './builders';
import { type MakeStore, ODD_NAMES, type StoreLimits, useStore } from './store-under-test';

const MAX = Number.MAX_SAFE_INTEGER;
const ALL = { startTs: -MAX, endTs: MAX + 1, limit: 100_000, order: 'ASC' } as const;
const EVERYTHING: Deletion = { startTs: -MAX, endTs: MAX + 1, latest: 'remove' };
const DAY = 86_400_000;

/** What the view forgets: deletions, what the retention removes, and keys it does not take. */
export function describeTelemetryViewContract(makeStore: MakeStore): void {
  const viewOf = (limits?: Partial<StoreLimits>) => {
    const store = useStore(makeStore, limits);
    beforeEach(() => store.state.materialiser.start());
    return {
      store,
      /** @param points `ts` or `ts:value`, by turns of one message each */
      async send(id: string, key: string, points: readonly (number | string)[], expiresAt?: number): Promise<void> {
        for (const point of points) {
          const [ts, value = ts] = String(point).split(':');
          const message = aMessage({ id }, Number(ts), { [key]: value ?? '' });
          await store.state.telemetryLog.append({ ...message, expiresAt });
        }
        await store.state.materialiser.caughtUp();
      },
      times: async (id: string, key: string) =>
        (await store.state.telemetryView.history(id, key, ALL)).map(({ ts }) => ts),
      latest: async (id: string, key: string) => (await store.state.telemetryView.latest(id, [key])).get(key),
    };
  };

  describe('Deleting from the TelemetryView', () => {
    const { store, send, times, latest } = viewOf();
    const remove = (id: string, deletion: Deletion, key = 't') => store.state.telemetryView.delete(id, key, deletion);

    it.each<[string, Deletion, number[], number | undefined]>([
      ['a range before the newest', { startTs: 20, endTs: 40, latest: 'remove' }, [10, 40, 50], 50],
      ['the newest', { startTs: 50, endTs: 51, latest: 'remove' }, [10, 20, 30, 40], undefined],
      ['the newest, and its place is taken', { startTs: 40, endTs: 99, latest: 'rewrite' }, [10, 20, 30], 30],
      ['the newest, and it stays as the latest', { startTs: 40, endTs: 99, latest: 'keep' }, [10, 20, 30], 50],
      ['all of it', EVERYTHING, [], undefined],
      ['all of it, and nobody takes the place', { ...EVERYTHING, latest: 'rewrite' }, [], undefined],
      ['all of it but the latest', { ...EVERYTHING, latest: 'keep' }, [], 50],
      ['what ends before the newest', { startTs: 30, endTs: 50, latest: 'rewrite' }, [10, 20, 50], 50],
      ['nothing between two points', { startTs: 41, endTs: 50, latest: 'remove' }, [10, 20, 30, 40, 50], 50],
      ['an empty range', { startTs: 50, endTs: 50, latest: 'remove' }, [10, 20, 30, 40, 50], 50],
      ['a range that runs backwards', { startTs: 99, endTs: 10, latest: 'remove' }, [10, 20, 30, 40, 50], 50],
    ])('takes away %s', async (_what, deletion, left, newest) => {
      const { id } = await store.device();
      const neighbour = await store.device();
      await Promise.all(
        [id, neighbour.id].flatMap((device) => [send(device, 't', [10, 20, 30, 40, 50]), send(device, 't2', [10, 50])]),
      );
      await remove(id, deletion);
      expect(await times(id, 't')).toEqual(left);
      expect(await latest(id, 't')).toEqual(newest === undefined ? undefined : { ts: newest, value: String(newest) });
      const keys = await store.state.telemetryView.keys(id);
      expect([...keys].sort()).toEqual(newest === undefined ? ['t2'] : ['t', 't2']);
      expect(await times(id, 't2')).toEqual([10, 50]);
      expect(await times(neighbour.id, 't')).toEqual([10, 20, 30, 40, 50]);
      expect((await latest(neighbour.id, 't'))?.ts).toBe(50);
    });

    it('does nothing to a key, and to a device, that is not there', async () => {
      const { id } = await store.device();
      await send(id, 't', [1]);
      await remove(id, EVERYTHING, 'nope');
      await remove('00000000-0000-4000-8000-000000000000', EVERYTHING);
      expect(await times(id, 't')).toEqual([1]);
      expect(await store.state.telemetryView.keys(id)).toEqual(['t']);
    });

    it('can be done again, and what is sent after it stays', async () => {
      const { id } = await store.device();
      await send(id, 't', [10, 20]);
      for (let n = 0; n < 2; n++) await remove(id, EVERYTHING);
      await send(id, 't', [15]);
      expect(await times(id, 't')).toEqual([15]);
      expect(await latest(id, 't')).toEqual({ ts: 15, value: '15' });
    });

    it('leaves the history of a key without a latest value to be read, and to be deleted', async () => {
      const { id } = await store.device();
      await send(id, 't', [10, 20]);
      await remove(id, { startTs: 20, endTs: 21, latest: 'remove' });
      expect(await times(id, 't')).toEqual([10]);
      await send(id, 't', ['5:7']);
      expect(await latest(id, 't')).toEqual({ ts: 5, value: '7' });
      expect(await times(id, 't')).toEqual([5, 10]);
      await remove(id, EVERYTHING);
      expect(await times(id, 't')).toEqual([]);
    });

    it('goes with the device also where the latest value had gone before', async () => {
      const device = await store.device();
      await send(device.id, 't', [10, 20]);
      await remove(device.id, { startTs: 20, endTs: 21, latest: 'remove' });
      await store.state.devices.deleteDevice(device.id);
      expect(await times(device.id, 't')).toEqual([]);
    });

    it('takes any key', async () => {
      const { id } = await store.device();
      const values = ODD_NAMES.map((key) => ({ key, value: trustedValue('1') }));
      await store.state.telemetryLog.append({ deviceId: id, lines: encodeRecords([{ ts: 1, values }]) });
      await store.state.materialiser.caughtUp();
      for (const [n, key] of ODD_NAMES.entries()) if (n % 2 === 0) await remove(id, EVERYTHING, key);
      const left = ODD_NAMES.filter((_, n) => n % 2 === 1);
      expect(new Set(await store.state.telemetryView.keys(id))).toEqual(new Set(left));
      for (const [n, key] of ODD_NAMES.entries()) expect(await times(id, key)).toEqual(n % 2 === 1 ? [1] : []);
    });

    it('cuts a long history where it is told to, over minutes and within one', async () => {
      const { id } = await store.device();
      const sent = Array.from({ length: 3_000 }, (_, n) => n * 997);
      const records = sent.map((ts) => ({ ts, values: entriesOf({ t: String(ts) }) }));
      await store.state.telemetryLog.append({ deviceId: id, lines: encodeRecords(records) });
      await store.state.materialiser.caughtUp();
      const [startTs, endTs] = [997 * 100 + 1, 997 * 2_900];
      await remove(id, { startTs, endTs, latest: 'remove' });
      expect(await times(id, 't')).toEqual(sent.filter((ts) => ts < startTs || ts >= endTs));
    });
  });

  describe('The retention by age', () => {
    const { store, send, times, latest } = viewOf({ historyMaxAge: 2 * DAY });

    it('removes what is older by its own time, and leaves the latest value', async () => {
      const { id } = await store.device();
      const now = Date.now();
      const recent = [now - 2 * DAY + 3_600_000, now - 1, now + DAY];
      await send(id, 't', [-5, 0, now - 3 * DAY, ...recent]);
      await send(id, 'old', [now - 5 * DAY, now - 4 * DAY]);
      await store.state.materialiser.swept();
      expect(await times(id, 't')).toEqual(recent);
      expect(await times(id, 'old')).toEqual([]);
      expect((await latest(id, 'old'))?.ts).toBe(now - 4 * DAY);
      expect([...(await store.state.telemetryView.keys(id))].sort()).toEqual(['old', 't']);
    });

    it('goes over all devices and keys, again and again, also after a restart', async () => {
      const now = Date.now();
      const devices = await Promise.all(Array.from({ length: 12 }, () => store.device()));
      const fill = () =>
        Promise.all(devices.flatMap(({ id }) => ['a', 'b', 'c'].map((key) => send(id, key, [now - 3 * DAY, now]))));
      const left = () => Promise.all(devices.flatMap(({ id }) => ['a', 'b', 'c'].map((key) => times(id, key))));
      for (let round = 0; round < 3; round++) {
        await fill();
        if (round === 1) {
          await store.reopen();
          await store.state.materialiser.start();
        }
        await Promise.all([store.state.materialiser.swept(), store.state.materialiser.swept()]);
        expect(await left()).toEqual(devices.flatMap(() => [[now], [now], [now]]));
      }
    });

    it('reaches what has no latest value any more', async () => {
      const { id } = await store.device();
      const now = Date.now();
      await send(id, 't', [now - 3 * DAY, now]);
      await store.state.telemetryView.delete(id, 't', { startTs: now, endTs: now + 1, latest: 'remove' });
      await store.state.materialiser.swept();
      expect(await times(id, 't')).toEqual([]);
    });

    it('is refused by a store that is closed', async () => {
      const { materialiser } = store.state;
      await store.state.close();
      await expect(materialiser.swept()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    });
  });

  describe('The retention by count', () => {
    const { store, send, times, latest } = viewOf({ historyMax: 3 });

    it('keeps the newest points of each series, whenever they came', async () => {
      const { id } = await store.device();
      await Promise.all([
        send(id, 't', [500_000, 1, 300_000, 300_001, 2]),
        send(id, 'few', [7, 8, 9]),
        send(id, 'again', ['1:1', '1:2', '1:3', '2:4', '3:5']),
        send(id, 'packed', [1, 2, 3, 4, 5]),
      ]);
      await store.state.materialiser.swept();
      expect(await times(id, 't')).toEqual([300_000, 300_001, 500_000]);
      expect(await times(id, 'few')).toEqual([7, 8, 9]);
      expect(await times(id, 'again')).toEqual([1, 2, 3]);
      expect(await times(id, 'packed')).toEqual([3, 4, 5]);
      expect((await latest(id, 't'))?.ts).toBe(500_000);
    });
  });

  describe('Points with a time of their own', () => {
    const { store, send, times, latest } = viewOf();
    const OVER = 1;
    const FAR = 4_000_000_000_000;

    it('leave the history when that is over, and stay as the latest value', async () => {
      const { id } = await store.device();
      await send(id, 't', [10, 70_000], OVER);
      await send(id, 't', [20, 70_001], FAR);
      await send(id, 't', [30]);
      await send(id, 'gone', ['5:true'], OVER);
      await store.state.materialiser.swept();
      expect(await times(id, 't')).toEqual([20, 30, 70_001]);
      expect(await times(id, 'gone')).toEqual([]);
      expect(await latest(id, 'gone')).toEqual({ ts: 5, value: 'true' });
    });

    it('have the one that they were given last', async () => {
      const { id } = await store.device();
      await send(id, 't', [10, 20, 30], OVER);
      await send(id, 't', ['10:7']);
      await send(id, 't', ['20:7'], FAR);
      await send(id, 't', [40]);
      await send(id, 't', ['40:7'], OVER);
      await store.state.materialiser.swept();
      expect(await store.state.telemetryView.history(id, 't', ALL)).toEqual([
        { ts: 10, value: '7' },
        { ts: 20, value: '7' },
      ]);
    });

    it('have it within one message and one step as well', async () => {
      const { id } = await store.device();
      await store.state.materialiser.stop();
      const append = (ts: number, expiresAt?: number) =>
        store.state.telemetryLog.append({ ...aMessage({ id }, ts, { t: '1' }), expiresAt });
      for (const [ts, expiry] of [[1, OVER], [1], [2], [2, OVER], [3, FAR]] as const) await append(ts, expiry);
      await store.state.materialiser.start();
      await store.state.materialiser.caughtUp();
      await store.state.materialiser.swept();
      expect(await times(id, 't')).toEqual([1, 3]);
    });
  });

  describe('The bound on the keys of a device', () => {
    const lines: [string, LogFields | undefined][] = [];
    const logger = {
      ...silentLogger,
      warn: (message: string, fields?: LogFields) => void lines.push([message, fields]),
    };
    const { store, send, times, latest } = viewOf({ telemetryKeysMax: 3, logger });
    beforeEach(() => {
      lines.length = 0;
    });

    it('lets the first ones in, says whose further values are left out, and leaves what is there alone', async () => {
      const [{ id }, neighbour] = [await store.device(), await store.device()];
      await store.state.telemetryLog.append(aMessage({ id }, 1, { a: '1', b: '1' }));
      await send(id, 'c', [1]);
      await send(id, 'd', [1, 2]);
      await store.state.telemetryLog.append(aMessage({ id }, 3, { a: '3', e: '3' }));
      await send(neighbour.id, 'd', [1]);
      expect([...(await store.state.telemetryView.keys(id))].sort()).toEqual(['a', 'b', 'c']);
      expect(await latest(id, 'a')).toEqual({ ts: 3, value: '3' });
      expect(await times(id, 'd')).toEqual([]);
      expect(await times(neighbour.id, 'd')).toEqual([1]);
      expect(lines).toContainEqual([
        'a device has all the telemetry keys it may have: values of further ones are not in the view',
        expect.objectContaining({ deviceId: id }),
      ]);
    });

    it('has room again when a key was deleted', async () => {
      const { id } = await store.device();
      for (const key of ['a', 'b', 'c', 'd']) await send(id, key, [1]);
      await store.state.telemetryView.delete(id, 'b', EVERYTHING);
      await send(id, 'd', [2]);
      expect([...(await store.state.telemetryView.keys(id))].sort()).toEqual(['a', 'c', 'd']);
      expect(await times(id, 'd')).toEqual([2]);
    });
  });
}
