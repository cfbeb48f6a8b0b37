import { longValue } from '../payload/value';
import { encodeRecords } from '../telemetry/record-lines';
import { aDevice, aMessage, aProfile } from './builders';
import { LONE_SURROGATES, type MakeStore, ODD_NAMES, useStore } from './store-under-test';

const MAX = Number.MAX_SAFE_INTEGER;
const ALL = { startTs: -MAX, endTs: MAX + 1, limit: 100_000, order: 'ASC' } as const;
const BACKLOG = 3;

export function describeTelemetryContract(makeStore: MakeStore): void {
  describe('TelemetryLog, Materialiser and TelemetryView', () => {
    const store = useStore(makeStore);
    const append = (id: string, ts: number, values: Record<string, string>) =>
      store.state.telemetryLog.append(aMessage({ id }, ts, values));
    const times = async (id: string, key: string) =>
      (await store.state.telemetryView.history(id, key, ALL)).map(({ ts }) => ts);

    beforeEach(() => store.state.materialiser.start());

    it('moves an accepted message into the latest values and the history, typed as it was', async () => {
      const { id } = await store.device();
      const values = { b: 'false', l: '9223372036854775807', d: '42.0', s: '"a b\\n"', j: '{"z":[1,2.0]}' };
      await append(id, 7, values);
      await store.state.materialiser.caughtUp();
      expect(await store.state.telemetryView.latest(id)).toEqual(
        new Map(Object.entries(values).map(([key, value]) => [key, { ts: 7, value }])),
      );
      for (const [key, value] of Object.entries(values)) {
        expect(await store.state.telemetryView.history(id, key, ALL)).toEqual([{ ts: 7, value }]);
      }
      expect([...(await store.state.telemetryView.keys(id))].sort()).toEqual(['b', 'd', 'j', 'l', 's']);
    });

    it('takes a message of many records as one', async () => {
      const { id } = await store.device();
      const records = [3, 1, 2].map((ts) => ({ ts, values: [{ key: 't', value: longValue(ts * 10) }] }));
      await store.state.telemetryLog.append({ deviceId: id, lines: encodeRecords(records) });
      expect(store.state.telemetryLog.backlog()).toBeLessThanOrEqual(1);
      await store.state.materialiser.caughtUp();
      expect(await times(id, 't')).toEqual([1, 2, 3]);
      expect(await store.state.telemetryView.latest(id)).toEqual(new Map([['t', { ts: 3, value: '30' }]]));
    });

    it('shows an older point in the history only', async () => {
      const { id } = await store.device();
      await append(id, 10, { t: '10' });
      await append(id, 5, { t: '5' });
      await store.state.materialiser.caughtUp();
      await append(id, 7, { t: '7' });
      await store.state.materialiser.caughtUp();
      expect((await store.state.telemetryView.latest(id)).get('t')).toEqual({ ts: 10, value: '10' });
      expect(await times(id, 't')).toEqual([5, 7, 10]);
    });

    it('keeps one point for a key and a time: the one that came last', async () => {
      const { id } = await store.device();
      await append(id, 10, { t: '1' });
      await append(id, 10, { t: '2' });
      await store.state.materialiser.caughtUp();
      await append(id, 10, { t: '3' });
      await store.state.materialiser.caughtUp();
      expect(await store.state.telemetryView.history(id, 't', ALL)).toEqual([{ ts: 10, value: '3' }]);
      expect((await store.state.telemetryView.latest(id)).get('t')).toEqual({ ts: 10, value: '3' });
    });

    it('answers latest values in the order asked for and leaves out keys without data', async () => {
      const { id } = await store.device();
      await append(id, 1, { a: '1', b: '2', c: '3' });
      await store.state.materialiser.caughtUp();
      const latest = await store.state.telemetryView.latest(id, ['c', 'nope', 'a']);
      expect([...latest.keys()]).toEqual(['c', 'a']);
      expect(await store.state.telemetryView.latest(id, [])).toEqual(new Map());
    });

    it('reads history from the start, inclusive, to the end, exclusive', async () => {
      const { id } = await store.device();
      for (const ts of [-2, -1, 0, 1, 2]) await append(id, ts, { t: String(ts) });
      await store.state.materialiser.caughtUp();
      const range = { startTs: -1, endTs: 2, limit: 10 };
      const ascending = await store.state.telemetryView.history(id, 't', { ...range, order: 'ASC' });
      const descending = await store.state.telemetryView.history(id, 't', { ...range, order: 'DESC' });
      expect(ascending.map(({ ts }) => ts)).toEqual([-1, 0, 1]);
      expect(descending.map(({ ts }) => ts)).toEqual([1, 0, -1]);
      for (const order of ['ASC', 'DESC'] as const) {
        for (const [startTs, endTs] of [
          [1, 1],
          [2, 1],
          [3, 9],
        ] as const) {
          expect(await store.state.telemetryView.history(id, 't', { startTs, endTs, limit: 10, order })).toEqual([]);
        }
      }
    });

    it('limits history from the end that the order begins with', async () => {
      const { id } = await store.device();
      for (const ts of [1, 2, 3, 4]) await append(id, ts, { t: String(ts) });
      await store.state.materialiser.caughtUp();
      const limited = async (order: 'ASC' | 'DESC', limit: number) =>
        (await store.state.telemetryView.history(id, 't', { ...ALL, order, limit })).map(({ ts }) => ts);
      expect(await limited('ASC', 2)).toEqual([1, 2]);
      expect(await limited('DESC', 2)).toEqual([4, 3]);
      expect(await limited('DESC', 0)).toEqual([]);
    });

    it('takes any time from -(2^53 - 1) to 2^53 - 1', async () => {
      const { id } = await store.device();
      for (const ts of [MAX, 0, -MAX, -MAX + 1, MAX - 1]) await append(id, ts, { t: String(ts) });
      await store.state.materialiser.caughtUp();
      expect(await times(id, 't')).toEqual([-MAX, -MAX + 1, 0, MAX - 1, MAX]);
      const upTo = { ...ALL, endTs: MAX, order: 'DESC' } as const;
      expect((await store.state.telemetryView.history(id, 't', upTo)).map(({ ts }) => ts)).toEqual([
        MAX - 1,
        0,
        -MAX + 1,
        -MAX,
      ]);
      const first = { startTs: -MAX, endTs: -MAX + 1, limit: 10, order: 'DESC' } as const;
      expect(await store.state.telemetryView.history(id, 't', first)).toEqual([{ ts: -MAX, value: String(-MAX) }]);
      expect((await store.state.telemetryView.latest(id)).get('t')?.ts).toBe(MAX);
    });

    it('takes any key and does not confuse two', async () => {
      const { id } = await store.device();
      const values = ODD_NAMES.map((key, n) => ({ key, value: longValue(n) }));
      await store.state.telemetryLog.append({ deviceId: id, lines: encodeRecords([{ ts: 1, values }]) });
      await store.state.materialiser.caughtUp();
      expect(new Set(await store.state.telemetryView.keys(id))).toEqual(new Set(ODD_NAMES));
      const latest = await store.state.telemetryView.latest(id);
      for (const [n, key] of ODD_NAMES.entries()) {
        expect(latest.get(key)).toEqual({ ts: 1, value: String(n) });
        expect(await store.state.telemetryView.history(id, key, ALL)).toEqual([{ ts: 1, value: String(n) }]);
      }
    });

    it('survives keys that are no Unicode text', async () => {
      const { id } = await store.device();
      for (const key of LONE_SURROGATES) await append(id, 1, { [key]: '1' });
      await store.state.materialiser.caughtUp();
      for (const key of LONE_SURROGATES) expect(await times(id, key)).toEqual([1]);
    });

    it('keeps two devices apart', async () => {
      const [one, other] = [await store.device(), await store.device()];
      await append(one.id, 1, { t: '1' });
      await store.state.materialiser.caughtUp();
      expect(await store.state.telemetryView.keys(other.id)).toEqual([]);
      expect(await store.state.telemetryView.latest(other.id, ['t'])).toEqual(new Map());
      expect(await times(other.id, 't')).toEqual([]);
    });

    it('passes over messages of a device that is not there and goes on with the next', async () => {
      const [never, device] = [aDevice(aProfile()), await store.device()];
      await Promise.all([append(never.id, 1, { t: '1' }), append(device.id, 1, { t: '1' })]);
      await store.state.materialiser.caughtUp();
      expect(await times(never.id, 't')).toEqual([]);
      expect(await times(device.id, 't')).toEqual([1]);
    });

    it('has everything in the view that was appended when caught up, however often it is stopped', async () => {
      const { id } = await store.device();
      const count = 3_000;
      const appends: Promise<void>[] = [];
      for (let ts = 0; ts < count; ts++) {
        appends.push(append(id, ts, { t: String(ts), [`k${ts % 7}`]: '1' }));
        if (ts % 1_000 !== 999) continue;
        await store.state.materialiser.stop();
        await store.state.materialiser.start();
      }
      await Promise.all(appends);
      await store.state.materialiser.caughtUp();
      expect(await times(id, 't')).toEqual(Array.from({ length: count }, (_, ts) => ts));
      expect(store.state.telemetryLog.backlog()).toBe(0);
    });

    it('catches up with one device, whatever others have sent', async () => {
      const devices = await Promise.all(Array.from({ length: 5 }, () => store.device()));
      await Promise.all(devices.map(({ id }) => append(id, 1, { t: '1' })));
      for (const { id } of devices) {
        await store.state.materialiser.caughtUp(id);
        expect(await times(id, 't')).toEqual([1]);
      }
    });

    it('shows what it has caught up with at once, also to one who reads all the time', async () => {
      const { id } = await store.device();
      let reading = true;
      const reader = (async () => {
        while (reading) {
          await store.state.telemetryView.latest(id);
          await new Promise(setImmediate);
        }
      })();
      const seen: (string | undefined)[] = [];
      for (let ts = 0; ts < 150; ts++) {
        await append(id, ts, { t: String(ts) });
        await store.state.materialiser.caughtUp();
        seen.push((await store.state.telemetryView.latest(id)).get('t')?.value);
      }
      reading = false;
      await reader;
      expect(seen).toEqual(Array.from({ length: 150 }, (_, ts) => String(ts)));
    });

    it('starts only once and stops only once, however often it is told to', async () => {
      const { id } = await store.device();
      await Promise.all([store.state.materialiser.start(), store.state.materialiser.start()]);
      await append(id, 1, { t: '1' });
      await store.state.materialiser.caughtUp();
      await Promise.all([store.state.materialiser.stop(), store.state.materialiser.stop()]);
      await store.state.materialiser.stop();
      await append(id, 2, { t: '2' });
      expect(await times(id, 't')).toEqual([1]);
      expect(store.state.telemetryLog.backlog()).toBe(1);
    });

    it('is caught up at once when there is nothing in the log', async () => {
      await store.state.materialiser.stop();
      await store.state.materialiser.caughtUp();
      expect(store.state.telemetryLog.backlog()).toBe(0);
    });

    it('takes up after a restart what was in the log before it', async () => {
      const { id } = await store.device();
      await store.state.materialiser.stop();
      for (const ts of [1, 2]) await append(id, ts, { t: String(ts) });
      await store.reopen();
      expect(store.state.telemetryLog.backlog()).toBe(2);
      await store.state.materialiser.start();
      await store.state.materialiser.caughtUp();
      expect(await times(id, 't')).toEqual([1, 2]);
    });

    it('goes on after a restart at which the log was empty', async () => {
      const { id } = await store.device();
      for (const ts of [1, 2, 3]) await append(id, ts, { t: String(ts) });
      await store.state.materialiser.caughtUp();
      await store.reopen();
      expect(store.state.telemetryLog.backlog()).toBe(0);
      await store.state.materialiser.start();
      await append(id, 4, { t: '4' });
      await store.state.materialiser.caughtUp();
      expect(await times(id, 't')).toEqual([1, 2, 3, 4]);
    });
  });

  describe('TelemetryLog at its limit', () => {
    const store = useStore(makeStore, { backlogMax: BACKLOG });

    it('refuses with BACKLOG_FULL, keeps nothing of what it refused, and accepts again when there is room', async () => {
      const { id } = await store.device();
      const append = (ts: number) => store.state.telemetryLog.append(aMessage({ id }, ts, { t: String(ts) }));
      const outcomes = await Promise.allSettled([1, 2, 3, 4, 5].map(append));
      expect(outcomes.map(({ status }) => status)).toEqual([
        'fulfilled',
        'fulfilled',
        'fulfilled',
        'rejected',
        'rejected',
      ]);
      await expect(append(6)).rejects.toMatchObject({ code: 'BACKLOG_FULL', retryAfter: expect.any(Number) });
      expect(store.state.telemetryLog.backlog()).toBe(BACKLOG);
      await store.state.materialiser.start();
      await store.state.materialiser.caughtUp();
      expect(store.state.telemetryLog.backlog()).toBe(0);
      await append(7);
      await store.state.materialiser.caughtUp();
      const points = await store.state.telemetryView.history(id, 't', ALL);
      expect(points.map(({ ts }) => ts)).toEqual([1, 2, 3, 7]);
    });
  });
}
