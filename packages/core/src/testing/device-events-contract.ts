import { type AttributeEvent, type EventsRead, NO_LOG_EPOCH } from '../state/device-events';
import { aCommand, aDevice, aProfile, CREATED, credentialsOf, entriesOf } from './builders';
import { accepted, hintsOf, type MakeStore, useSharedStore } from './store-under-test';

const BOUND = 5;

export function describeDeviceEventsContract(makeStore: MakeStore): void {
  describe('DeviceEvents', () => {
    const store = useSharedStore(makeStore, { eventLogMax: BOUND });

    async function deviceWithEvents(count: number): Promise<string> {
      const { id } = await store.device();
      await change(id, count);
      return id;
    }

    async function change(id: string, count: number): Promise<void> {
      for (let n = 0; n < count; n++) await store.state.attributes.save(id, 'SHARED', entriesOf({ n: String(n) }), n);
    }

    it('begins at offset 0, and an event moves the head by one', async () => {
      const id = await deviceWithEvents(0);
      const start = await store.state.events.head(id);
      expect(start.offset).toBe(0);
      await change(id, 2);
      expect(await store.state.events.head(id)).toEqual({ epoch: start.epoch, offset: 2 });
    });

    it('reads what follows a position, oldest first, at most the limit', async () => {
      const id = await deviceWithEvents(4);
      const { epoch } = await store.state.events.head(id);
      expect(offsets(await store.state.events.read(id, { epoch, offset: 1 }, 10))).toEqual([2, 3, 4]);
      expect(offsets(await store.state.events.read(id, { epoch, offset: 1 }, 2))).toEqual([2, 3]);
      expect(offsets(await store.state.events.read(id, { epoch, offset: 4 }, 10))).toEqual([]);
    });

    it('keeps with an event the trace it was written in, and of others none', async () => {
      const { id } = await store.device();
      const { epoch, offset } = await store.state.events.head(id);
      const [saved, deleted] = [
        `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
        `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`,
      ];
      const { attributes, events } = store.state;
      await attributes.save(id, 'SHARED', entriesOf({ a: '1', b: '2' }), 1, saved);
      await attributes.delete(id, 'SHARED', ['a'], 2, deleted);
      await attributes.save(id, 'SHARED', entriesOf({ c: '3' }), 3);
      await attributes.delete(id, 'SHARED', ['c'], 4);
      const read = await events.read(id, { epoch, offset }, 10);
      expect(read.kind === 'events' && read.events.map(({ trace }) => trace)).toEqual([
        saved,
        deleted,
        undefined,
        undefined,
      ]);
      expect(read).toMatchObject({
        events: [{ updated: entriesOf({ a: '1', b: '2' }) }, { deleted: ['a'] }, {}, { deleted: ['c'] }],
      });
      expect((await attributes.read(id, 'SHARED')).map(({ key }) => key)).toEqual(['b']);
    });

    it('an event at its offset is the position to read on from', async () => {
      const id = await deviceWithEvents(BOUND);
      const { epoch } = await store.state.events.head(id);
      const seen: AttributeEvent[] = [];
      for (let offset = 0; ; ) {
        const read = await store.state.events.read(id, { epoch, offset }, 1);
        if (read.kind !== 'events') throw new Error('a gap');
        const [event] = read.events;
        if (!event) break;
        seen.push(event);
        offset = event.offset;
      }
      expect(seen.map(({ ts }) => ts)).toEqual([0, 1, 2, 3, 4]);
    });

    it('keeps as many events as it is bound to and reaches back exactly so far', async () => {
      const id = await deviceWithEvents(BOUND + 2);
      const { epoch } = await store.state.events.head(id);
      expect(offsets(await store.state.events.read(id, { epoch, offset: 2 }, 10))).toEqual([3, 4, 5, 6, 7]);
      expect((await store.state.events.read(id, { epoch, offset: 1 }, 10)).kind).toBe('gap');
    });

    it('tells a gap with the head and the events it still has, whatever the limit', async () => {
      const id = await deviceWithEvents(BOUND + 3);
      const head = await store.state.events.head(id);
      const read = await store.state.events.read(id, { ...head, offset: 0 }, 1);
      expect(read).toMatchObject({ kind: 'gap', head });
      expect(read.kind === 'gap' && read.kept.map(({ offset }) => offset)).toEqual([4, 5, 6, 7, 8]);
    });

    it('tells a gap for a position of another epoch or beyond the head', async () => {
      const id = await deviceWithEvents(2);
      const head = await store.state.events.head(id);
      const foreign = await store.state.events.read(id, { epoch: 'another', offset: 1 }, 10);
      expect(foreign).toMatchObject({ kind: 'gap', head, kept: [{ offset: 1 }, { offset: 2 }] });
      expect((await store.state.events.read(id, { ...head, offset: 3 }, 10)).kind).toBe('gap');
    });

    it('has an empty log for a device that never was', async () => {
      const { id } = aDevice(aProfile());
      const head = await store.state.events.head(id);
      expect(head.offset).toBe(0);
      expect(await store.state.events.read(id, head, 10)).toEqual({ kind: 'events', epoch: head.epoch, events: [] });
    });

    it('begins another epoch for a device that was deleted and is made again', async () => {
      const profile = await store.profile();
      const device = await store.device({}, { profile });
      await change(device.id, 1);
      const former = await store.state.events.head(device.id);
      await store.state.devices.deleteDevice(device.id);
      const gone = { epoch: NO_LOG_EPOCH, offset: 0 };
      expect(await store.state.events.read(device.id, former, 10)).toEqual({ kind: 'gap', head: gone, kept: [] });
      expect((await store.state.attributes.snapshotShared(device.id)).position).toEqual(gone);
      accepted(await store.state.devices.createDevice(device, credentialsOf(device)));
      const head = await store.state.events.head(device.id);
      expect(head.offset).toBe(0);
      expect(head.epoch).not.toBe(former.epoch);
      expect(await store.state.events.read(device.id, former, 10)).toEqual({ kind: 'gap', head, kept: [] });
    });

    it('goes on counting, in the same epoch, after the store was opened again', async () => {
      const id = await deviceWithEvents(BOUND + 1);
      const before = await store.state.events.head(id);
      await store.reopen();
      expect(await store.state.events.head(id)).toEqual(before);
      await change(id, 1);
      expect(await store.state.events.head(id)).toEqual({ ...before, offset: before.offset + 1 });
      expect(offsets(await store.state.events.read(id, before, 10))).toEqual([before.offset + 1]);
    });

    it('gives concurrent saves one offset each', async () => {
      const id = await deviceWithEvents(0);
      const { epoch } = await store.state.events.head(id);
      await Promise.all(
        [1, 2, 3, 4].map((n) => store.state.attributes.save(id, 'SHARED', entriesOf({ n: `${n}` }), n)),
      );
      expect(offsets(await store.state.events.read(id, { epoch, offset: 0 }, 10))).toEqual([1, 2, 3, 4]);
    });

    it('wakes a waiter when the change can be read already', async () => {
      const id = await deviceWithEvents(0);
      const reads: Promise<unknown>[] = [];
      const heard = new Promise<void>((resolve) => {
        store.state.events.watch(id, () => {
          reads.push(store.state.attributes.read(id, 'SHARED'), store.state.events.head(id));
          resolve();
        });
      });
      await store.state.attributes.save(id, 'SHARED', entriesOf({ a: '1' }), 1);
      await heard;
      const [attributes, head] = await Promise.all(reads);
      expect(attributes).toMatchObject([{ key: 'a', value: '1' }]);
      expect(head).toMatchObject({ offset: 1 });
    });

    it('lets a waiter that throws harm nobody: the write is made, and the others are woken', async () => {
      const id = await deviceWithEvents(0);
      const wakes: string[] = [];
      store.state.events.watch(id, () => {
        throw new Error('not my day');
      });
      store.state.events.watch(id, (wake) => wakes.push(wake));
      expect(await store.state.attributes.save(id, 'SHARED', entriesOf({ a: '1' }), 1)).toBe(true);
      expect(wakes).toContain('attributes');
    });

    it('wakes in the order of the writes, each before its promise resolves', async () => {
      const device = await store.device();
      const { attributes, events, rpcs } = store.state;
      const wakes: string[] = [];
      events.watch(device.id, (wake) => wakes.push(wake));
      const writes: readonly (() => Promise<unknown>)[] = [
        () => attributes.save(device.id, 'SHARED', entriesOf({ a: '1' }), 1),
        () => rpcs.create(aCommand(device)),
        () => attributes.save(device.id, 'SHARED', entriesOf({ a: '2' }), 1),
        () => attributes.delete(device.id, 'SHARED', ['a'], 1),
        () => rpcs.create(aCommand(device)),
      ];
      const heard: number[] = [];
      for (const write of writes) {
        await write();
        heard.push(hintsOf(wakes).length);
      }
      expect(heard).toEqual([1, 2, 3, 4, 5]);
      expect(hintsOf(wakes)).toEqual(['attributes', 'rpc', 'attributes', 'attributes', 'rpc']);
    });

    it('wakes all waiters of the device, those of no other, and nobody who has left', async () => {
      const [one, other] = [await store.device(), await store.device()];
      const wakes: string[] = [];
      const ofOther: string[] = [];
      const leave = store.state.events.watch(one.id, () => wakes.push('left'));
      store.state.events.watch(other.id, (wake) => ofOther.push(wake));
      leave();
      const heard = ['first', 'second'].map(
        (name) =>
          new Promise<void>((resolve) => {
            store.state.events.watch(one.id, () => {
              wakes.push(name);
              resolve();
            });
          }),
      );
      await store.state.attributes.save(one.id, 'SHARED', entriesOf({ a: '1' }), 1);
      await Promise.all(heard);
      expect(new Set(wakes)).toEqual(new Set(['first', 'second']));
      expect(hintsOf(ofOther)).toEqual([]);
    });

    it('a waiter may leave, and take another along, while it is being woken', async () => {
      const { id } = await store.device();
      const wakes: string[] = [];
      const leave: (() => void)[] = [];
      const heard = new Promise<void>((resolve) => {
        leave.push(
          store.state.events.watch(id, () => {
            wakes.push('first');
            for (const go of leave) go();
            resolve();
          }),
        );
      });
      leave.push(store.state.events.watch(id, () => wakes.push('second')));
      await store.state.attributes.save(id, 'SHARED', entriesOf({ a: '1' }), 1);
      await heard;
      await store.state.attributes.save(id, 'SHARED', entriesOf({ a: '2' }), 2);
      expect(wakes).toEqual(['first']);
    });

    describe('the cursor', () => {
      const now = CREATED;

      it('is absent until it is set, then there until it lapses', async () => {
        const id = await deviceWithEvents(3);
        const head = await store.state.events.head(id);
        expect(await store.state.events.getCursor(id, now)).toBeUndefined();
        await store.state.events.setCursor(id, head, now, 1_000);
        expect(await store.state.events.getCursor(id, now + 999)).toEqual(head);
        expect(await store.state.events.getCursor(id, now + 1_000)).toBeUndefined();
      });

      it('never moves back within an epoch, and lapses no earlier than either poll asked for', async () => {
        const id = await deviceWithEvents(3);
        const head = await store.state.events.head(id);
        await Promise.all([
          store.state.events.setCursor(id, head, now, 1_000),
          store.state.events.setCursor(id, { ...head, offset: 1 }, now, 5_000),
        ]);
        expect(await store.state.events.getCursor(id, now + 4_999)).toEqual(head);
        await store.state.events.setCursor(id, { ...head, offset: 2 }, now, 10);
        expect(await store.state.events.getCursor(id, now + 4_999)).toEqual(head);
      });

      it('once lapsed can be set anywhere', async () => {
        const id = await deviceWithEvents(3);
        const head = await store.state.events.head(id);
        await store.state.events.setCursor(id, head, now, 1_000);
        await store.state.events.setCursor(id, { ...head, offset: 1 }, now + 1_000, 1_000);
        expect(await store.state.events.getCursor(id, now + 1_000)).toEqual({ ...head, offset: 1 });
      });

      it('does not take a position of a log that is gone', async () => {
        const profile = await store.profile();
        const device = await store.device({}, { profile });
        await change(device.id, 3);
        const former = await store.state.events.head(device.id);
        await store.state.events.setCursor(device.id, former, now, 1_000);
        await store.state.devices.deleteDevice(device.id);
        await store.state.events.setCursor(device.id, former, now, 1_000);
        expect(await store.state.events.getCursor(device.id, now)).toBeUndefined();
        accepted(await store.state.devices.createDevice(device, credentialsOf(device)));
        const head = await store.state.events.head(device.id);
        await store.state.events.setCursor(device.id, head, now, 1_000);
        await store.state.events.setCursor(device.id, former, now, 1_000);
        expect(await store.state.events.getCursor(device.id, now)).toEqual(head);
      });

      it('outlives the process', async () => {
        const id = await deviceWithEvents(2);
        const head = await store.state.events.head(id);
        await store.state.events.setCursor(id, head, now, 1_000);
        await store.reopen();
        expect(await store.state.events.getCursor(id, now)).toEqual(head);
      });
    });

    describe('the observer', () => {
      const observers = async (id: string) => [
        await store.state.events.getObserver(id, 'attributes'),
        await store.state.events.getObserver(id, 'rpc'),
      ];

      it('is the last one that was named, one of each kind for each device', async () => {
        const [one, other] = [await store.device(), await store.device()];
        expect(await observers(one.id)).toEqual([undefined, undefined]);
        await store.state.events.setObserver(one.id, 'attributes', 'first');
        expect(await observers(one.id)).toEqual(['first', undefined]);
        await store.state.events.setObserver(one.id, 'rpc', 'commands');
        await store.state.events.setObserver(one.id, 'attributes', 'a name: with%odd {parts} 1');
        expect(await observers(one.id)).toEqual(['a name: with%odd {parts} 1', 'commands']);
        expect(await observers(other.id)).toEqual([undefined, undefined]);
      });

      it('is one, and everybody sees the same, when several are named at the same time', async () => {
        const { id } = await store.device();
        const names = ['first', 'second', 'third', 'fourth'];
        await Promise.all(names.map((name) => store.state.events.setObserver(id, 'rpc', name)));
        const seen = await Promise.all(names.map(() => store.state.events.getObserver(id, 'rpc')));
        expect(names).toContain(seen[0]);
        expect(new Set(seen).size).toBe(1);
      });

      it('wakes those who watch the device, when it can be read already and before it is said to be done', async () => {
        const [one, other] = [await store.device(), await store.device()];
        const wakes: string[] = [];
        const reads: Promise<string | undefined>[] = [];
        store.state.events.watch(one.id, (wake) => {
          wakes.push(wake);
          reads.push(store.state.events.getObserver(one.id, 'attributes'));
        });
        const ofOther: string[] = [];
        store.state.events.watch(other.id, (wake) => ofOther.push(wake));
        await store.state.events.setObserver(one.id, 'attributes', 'newest');
        expect(hintsOf(wakes)).toEqual(['observer']);
        expect(hintsOf(ofOther)).toEqual([]);
        expect((await Promise.all(reads)).at(-1)).toBe('newest');
      });

      it('is no event of the log and moves no cursor', async () => {
        const id = await deviceWithEvents(2);
        const head = await store.state.events.head(id);
        await store.state.events.setCursor(id, { ...head, offset: 1 }, CREATED, 1_000);
        await store.state.events.setObserver(id, 'attributes', 'observer');
        expect(await store.state.events.head(id)).toEqual(head);
        expect(await store.state.events.getCursor(id, CREATED)).toEqual({ ...head, offset: 1 });
      });

      it('of a device that is not there is nobody, and wakes nobody', async () => {
        const { id } = aDevice(aProfile());
        const wakes: string[] = [];
        store.state.events.watch(id, (wake) => wakes.push(wake));
        await store.state.events.setObserver(id, 'attributes', 'observer');
        expect(await observers(id)).toEqual([undefined, undefined]);
        expect(hintsOf(wakes)).toEqual([]);
      });

      it('goes with its device, also when that is made again', async () => {
        const profile = await store.profile();
        const device = await store.device({}, { profile });
        await store.state.events.setObserver(device.id, 'rpc', 'observer');
        await store.state.devices.deleteDevice(device.id);
        expect(await observers(device.id)).toEqual([undefined, undefined]);
        await store.state.events.setObserver(device.id, 'rpc', 'late');
        accepted(await store.state.devices.createDevice(device, credentialsOf(device)));
        expect(await observers(device.id)).toEqual([undefined, undefined]);
      });
    });
  });
}

function offsets(read: EventsRead): number[] {
  if (read.kind !== 'events') throw new Error('a gap');
  return read.events.map(({ offset }) => offset);
}
