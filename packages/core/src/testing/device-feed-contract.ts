import type { Uuid } from '../devices/model';
import { longValue } from '../payload/value';
import type { AttributeScope } from '../state/attribute-store';
import type { DeviceFeed, FeedChange, FeedMessage, FeedWatch, UncountedChange } from '../state/device-feed';
import { encodeRecords } from '../telemetry/record-lines';
import { aDevice, aMessage, aProfile, CREATED, credentialsOf, entriesOf } from './builders';
import { FaultLog } from './fault-log';
import { LONE_SURROGATES, type MakeStore, ODD_NAMES, useSharedStore } from './store-under-test';

const SCOPES: readonly AttributeScope[] = ['CLIENT', 'SHARED', 'SERVER'];
const MINUTE = 60_000;

export function describeDeviceFeedContract(makeStore: MakeStore): void {
  describe('DeviceFeed', () => {
    const log = new FaultLog();
    const store = useSharedStore(makeStore, { logger: log.logger });
    const save = (id: Uuid, scope: AttributeScope, values: Record<string, string>, ts = 1) =>
      store.state.attributes.save(id, scope, entriesOf(values), ts);
    const append = (id: Uuid, ts: number, values: Record<string, string>) =>
      store.state.telemetryLog.append(aMessage({ id }, ts, values));
    const watched = async () => {
      const { id } = await store.device();
      return { id, feed: await Ear.at(store.state.feed, id) };
    };

    it('tells each accepted message by itself, its records in order, once it is in the view', async () => {
      await store.state.materialiser.start();
      const { id, feed } = await watched();
      const records = [3, 1, 2].map((ts) => ({ ts, values: entriesOf({ t: `${ts}.0`, s: '"a\\nb"' }) }));
      await Promise.all([
        store.state.telemetryLog.append({ deviceId: id, lines: encodeRecords(records) }),
        append(id, 9, { t: '9', j: '{"z":[1,2.0]}' }),
        append(id, 9, { t: '9', j: '{"z":[1,2.0]}' }),
      ]);
      await feed.count(3);
      expect((await store.state.telemetryView.latest(id)).get('t')).toEqual({ ts: 9, value: '9' });
      const last = { kind: 'telemetry', records: [{ ts: 9, values: entriesOf({ t: '9', j: '{"z":[1,2.0]}' }) }] };
      expect(feed.said).toEqual([{ kind: 'telemetry', records }, last, last]);
    });

    it('tells of an attribute that was saved because it was absent, and not of one that was there', async () => {
      const { id, feed } = await watched();
      const entries = entriesOf({ provisionState: '"provisioned"' });
      const [entry] = entries;
      if (!entry) throw new Error('there is one');
      for (const ts of [5, 6]) await store.state.attributes.saveServerIfAbsent(id, entry, ts);
      await save(id, 'SERVER', { last: '1' }, 7);
      await feed.count(2);
      expect(feed.said).toEqual([
        { kind: 'saved', scope: 'SERVER', ts: 5, entries },
        { kind: 'saved', scope: 'SERVER', ts: 7, entries: entriesOf({ last: '1' }) },
      ]);
    });

    it.each(SCOPES)('tells every save and every deletion of %s attributes, typed as it was', async (scope) => {
      const { id, feed } = await watched();
      const values = { b: 'false', l: '9223372036854775807', d: '42.0', s: '"a \\"b\\n"', j: '{"z":[1,2.0]}' };
      await save(id, scope, values, 5);
      await save(id, scope, values, 6);
      await store.state.attributes.delete(id, scope, ['j', 'nope', 'b'], 7);
      await feed.count(3);
      const entries = entriesOf(values);
      expect(feed.said).toEqual([
        { kind: 'saved', scope, ts: 5, entries },
        { kind: 'saved', scope, ts: 6, entries },
        { kind: 'deleted', scope, ts: 7, keys: ['j', 'b'] },
      ]);
    });

    it('says nothing of a save of nothing, nor of the deletion of what is not there', async () => {
      const { id, feed } = await watched();
      for (const scope of SCOPES) {
        await save(id, scope, {});
        await store.state.attributes.delete(id, scope, ['nope'], 1);
        await store.state.attributes.delete(id, scope, [], 1);
      }
      await save(id, 'SERVER', { last: '1' });
      await feed.count(1);
      expect(feed.said).toMatchObject([{ entries: [{ key: 'last' }] }]);
    });

    it('tells the attributes that connectivity writes', async () => {
      const { id, feed } = await watched();
      const terms = (minutes: number) => ({ now: CREATED + minutes * MINUTE, defaultTimeout: 10 * MINUTE });
      await store.state.activity.begin(id, terms(0));
      await store.state.activity.report(new Map([[id, CREATED + MINUTE]]), terms(1));
      await store.state.activity.opened(id, 'one', CREATED + MINUTE, CREATED + 3 * MINUTE, terms(1));
      await store.state.activity.closed(id, 'one', CREATED + 2 * MINUTE, terms(2));
      await store.state.activity.settle(terms(20), 10);
      await feed.count(5);
      const told = feed.said.map((message) =>
        message.kind === 'saved' ? [message.scope, message.ts, keysOf(message)] : [],
      );
      expect(told).toEqual([
        ['SERVER', CREATED, ['active']],
        ['SERVER', CREATED + MINUTE, ['active', 'lastActivityTime']],
        ['SERVER', CREATED + MINUTE, ['lastConnectTime']],
        ['SERVER', CREATED + 2 * MINUTE, ['lastDisconnectTime']],
        ['SERVER', CREATED + 20 * MINUTE, ['active', 'inactivityAlarmTime']],
      ]);
    });

    it('takes any key', async () => {
      await store.state.materialiser.start();
      const { id, feed } = await watched();
      const values = ODD_NAMES.map((key, n) => ({ key, value: longValue(n) }));
      for (const scope of SCOPES) await store.state.attributes.save(id, scope, values, 1);
      for (const scope of SCOPES) await store.state.attributes.delete(id, scope, ODD_NAMES, 2);
      await store.state.telemetryLog.append({ deviceId: id, lines: encodeRecords([{ ts: 1, values }]) });
      await feed.count(7);
      for (const message of feed.said) {
        if (message.kind === 'saved') expect(message.entries).toEqual(values);
        if (message.kind === 'deleted') expect(message.keys).toEqual(ODD_NAMES);
        if (message.kind === 'telemetry') expect(message.records).toEqual([{ ts: 1, values }]);
      }
    });

    it('survives keys that are no Unicode text', async () => {
      const { id, feed } = await watched();
      for (const key of LONE_SURROGATES) await save(id, 'CLIENT', { [key]: '1' });
      await feed.count(LONE_SURROGATES.length);
      expect(feed.said.map(({ kind }) => kind)).toEqual(LONE_SURROGATES.map(() => 'saved'));
    });

    it('brings a large message whole', async () => {
      await store.state.materialiser.start();
      const { id, feed } = await watched();
      const text = JSON.stringify('x'.repeat(300_000));
      await append(id, 1, { text });
      await save(id, 'SHARED', { text });
      await feed.count(2);
      const sizes = feed.said.flatMap((message) => {
        if (message.kind === 'telemetry') return message.records.flatMap(({ values }) => values);
        return message.kind === 'saved' ? message.entries : [];
      });
      expect(sizes.map(({ value }) => value.length)).toEqual([text.length, text.length]);
    });

    it('tells of the device that is watched, each listener, until it leaves', async () => {
      const [one, other] = [await store.device(), await store.device()];
      const heard: string[] = [];
      const listener = ({ kind }: FeedMessage) => kind !== 'missed' && heard.push(kind);
      const first = store.state.feed.watch(one.id, listener);
      const second = store.state.feed.watch(one.id, listener);
      await Promise.all([first.mark(), second.mark()]);
      const last = await Ear.at(store.state.feed, one.id);
      await save(other.id, 'SHARED', { n: '1' });
      await save(one.id, 'SHARED', { n: '1' });
      await last.count(1);
      expect(heard).toEqual(['saved', 'saved']);
      first.leave();
      first.leave();
      await save(one.id, 'SHARED', { n: '2' });
      await last.count(2);
      expect(heard).toHaveLength(3);
      second.leave();
      await save(one.id, 'SHARED', { n: '3' });
      await last.count(3);
      expect(heard).toHaveLength(3);
      last.watch.leave();
      const again = await Ear.at(store.state.feed, one.id);
      await save(one.id, 'SHARED', { n: '4' });
      await again.count(1);
      expect([heard.length, last.said.length]).toEqual([3, 3]);
    });

    it('lets a listener leave, and take others along, while it is told', async () => {
      const { id } = await store.device();
      let calls = 0;
      const watches = [1, 2, 3].map(() =>
        store.state.feed.watch(id, ({ kind }) => {
          if (kind === 'missed') return;
          calls++;
          for (const watch of watches) watch.leave();
        }),
      );
      await Promise.all(watches.map((watch) => watch.mark()));
      await save(id, 'SHARED', { n: '1' });
      const after = await Ear.at(store.state.feed, id);
      await save(id, 'SHARED', { n: '2' });
      await after.count(1);
      expect(calls).toBe(1);
    });

    it('lets a listener that throws harm nobody: the write is made, others hear it, and it is told that it missed it', async () => {
      await store.state.materialiser.start();
      log.faults.length = 0;
      const profile = await store.profile();
      const { id } = await store.device({}, { profile });
      const heard: string[] = [];
      const thrower = store.state.feed.watch(id, ({ kind }) => {
        heard.push(kind);
        throw new Error(`no ${kind}`);
      });
      await thrower.mark();
      const feed = await Ear.at(store.state.feed, id);
      heard.length = 0;
      expect(await save(id, 'SHARED', { n: '1' })).toBe(true);
      await append(id, 2, { n: '2' });
      await feed.count(2);
      expect(await thrower.mark()).toBe(2);
      expect((await store.state.devices.deleteDevice(id)).ok).toBe(true);
      await feed.until(({ kind }) => kind === 'gone');
      expect(heard.filter((kind) => kind !== 'missed')).toEqual(['saved', 'telemetry', 'gone']);
      // What failed is told again as missed; a store that can miss something by itself may say so before as well.
      expect(heard.slice(heard.indexOf('saved'), heard.indexOf('saved') + 2)).toEqual(['saved', 'missed']);
      expect(log.faults).toContain('Error: no saved');
      expect(await store.state.devices.getDevice(id)).toBeUndefined();
    });

    it.each(['remove', 'rewrite'] as const)(
      'has whoever watches read again when a latest value was deleted: %s',
      async (latest) => {
        await store.state.materialiser.start();
        const { id } = await store.device();
        await append(id, 5, { t: '5' });
        await store.state.materialiser.caughtUp(id);
        const asked: Promise<unknown>[] = [];
        const heard = new Promise<void>((resolve) => {
          const watch = store.state.feed.watch(id, ({ kind }) => {
            if (kind !== 'missed') return;
            asked.push(store.state.telemetryView.latest(id).then(({ size }) => size === 0 && resolve()));
          });
          asked.push(
            watch.mark().then(() => store.state.telemetryView.delete(id, 't', { startTs: 0, endTs: 9, latest })),
          );
        });
        await heard;
        await Promise.all(asked);
      },
    );

    it('tells that the device is gone, and what its successor of the same id does', async () => {
      const profile = await store.profile();
      const device = await store.device({}, { profile });
      const feed = await Ear.at(store.state.feed, device.id);
      await store.state.devices.deleteDevice(device.id);
      await feed.until(({ kind }) => kind === 'gone');
      await store.state.devices.createDevice(device, credentialsOf(device));
      await save(device.id, 'SHARED', { n: '1' });
      await feed.until(({ kind }) => kind === 'saved');
    });

    it('can be watched before the device is there; a write for one that is not there is no change', async () => {
      const device = aDevice(await store.profile());
      const feed = await Ear.at(store.state.feed, device.id);
      expect(await save(device.id, 'SHARED', { n: '1' })).toBe(false);
      await store.state.attributes.delete(device.id, 'CLIENT', ['n'], 1);
      await store.state.devices.createDevice(device, credentialsOf(device));
      await save(device.id, 'SHARED', { n: '2' });
      await feed.count(1);
      expect(feed.said).toMatchObject([{ entries: [{ key: 'n', value: '2' }] }]);
      const never = store.state.feed.watch(aDevice(aProfile()).id, () => {});
      expect(await never.mark()).toBe(0);
      never.leave();
    });

    it('ties what is told to what is read: no hole and no double', async () => {
      await store.state.materialiser.start();
      const { id } = await store.device();
      let over = false;
      const writing = (async () => {
        for (let n = 1; !over; n++) {
          await Promise.all([append(id, n, { n: `${n}` }), save(id, 'CLIENT', { n: `${n}` }, n)]);
        }
      })();
      for (let round = 0; round < 3; round++) {
        const ear = await Ear.at(store.state.feed, id);
        const before = await ear.watch.mark();
        const telemetry = (await store.state.telemetryView.latest(id)).get('n')?.ts ?? 0;
        const attribute = (await store.state.attributes.read(id, 'CLIENT'))[0]?.lastUpdateTs ?? 0;
        const after = await ear.watch.mark();
        await ear.until(() => ear.times('telemetry').length > 2);
        for (const [kind, read] of [
          ['telemetry', telemetry],
          ['saved', attribute],
        ] as const) {
          const heard = ear.times(kind);
          expect(heard).toEqual(following((heard[0] ?? 0) - 1, heard.length));
          expect(Math.max(0, ...ear.times(kind, 0, before))).toBeLessThanOrEqual(read);
          expect(Math.min(read + 1, ...ear.times(kind, after))).toBe(read + 1);
          expect(Math.min(read + 1, ...heard)).toBeLessThanOrEqual(read + 1);
        }
        ear.watch.leave();
      }
      over = true;
      await writing;
    });

    it('goes on after the store was closed and opened again', async () => {
      await store.state.materialiser.start();
      const { id, feed } = await watched();
      await save(id, 'SERVER', { n: '1' });
      await feed.count(1);
      await store.reopen();
      await store.state.materialiser.start();
      const after = await Ear.at(store.state.feed, id);
      await save(id, 'SERVER', { n: '2' }, 2);
      await append(id, 3, { n: '3' });
      await after.count(2);
      expect([after.times('saved'), after.times('telemetry'), feed.said.length]).toEqual([[2], [3], 1]);
    });
  });
}

const keysOf = (message: { readonly entries: readonly { readonly key: string }[] }): string[] =>
  message.entries.map(({ key }) => key).sort();

const following = (n: number, count: number): number[] => Array.from({ length: count }, (_, i) => n + 1 + i);

/** What is heard of a device, but for `missed`, which a store may say at any time. */
class Ear {
  readonly #changes: FeedChange[] = [];
  readonly watch: FeedWatch;
  #gone = false;
  #look = () => {};

  private constructor(feed: DeviceFeed, deviceId: Uuid) {
    this.watch = feed.watch(deviceId, (message) => this.#hear(message));
  }

  /** Resolves when it hears. */
  static async at(feed: DeviceFeed, deviceId: Uuid): Promise<Ear> {
    const ear = new Ear(feed, deviceId);
    await ear.watch.mark();
    return ear;
  }

  /** All of it, without the numbers. */
  get said(): UncountedChange[] {
    return this.#changes.map(({ at, ...message }) => message);
  }

  /** The times of the changes of a kind behind one number and up to another. */
  times(kind: 'telemetry' | 'saved', after = 0, upTo = Number.POSITIVE_INFINITY): number[] {
    return this.#changes.flatMap((change) => {
      if (change.kind !== kind || change.at <= after || change.at > upTo) return [];
      if (change.kind === 'telemetry') return change.records.map(({ ts }) => ts);
      return change.kind === 'saved' ? [change.ts] : [];
    });
  }

  count(messages: number): Promise<void> {
    return this.until(() => this.#changes.length >= messages);
  }

  until(holds: (last: FeedMessage) => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#look = () => {
        const last = this.#gone ? ({ kind: 'gone' } as const) : this.#changes.at(-1);
        if (holds(last ?? { kind: 'missed' })) resolve();
      };
      this.#look();
    });
  }

  #hear(message: FeedMessage): void {
    this.#gone = message.kind === 'gone';
    if (message.kind !== 'gone' && message.kind !== 'missed') this.#changes.push(message);
    this.#look();
  }
}
