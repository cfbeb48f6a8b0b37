import { aCommand, aMessage, CREATED, entriesOf } from './builders';
import { type MakeStore, useStore } from './store-under-test';

const ALL = { startTs: 0, endTs: CREATED, limit: 10_000, order: 'ASC' } as const;

export function describeLifecycleContract(makeStore: MakeStore): void {
  describe('State', () => {
    const store = useStore(makeStore);

    it('makes a secret once: the same for everybody who asks, another for another name, also later', async () => {
      const [one, again, other] = await Promise.all(['jwt', 'jwt', 'other'].map((name) => store.state.secret(name)));
      expect(one?.length).toBeGreaterThanOrEqual(32);
      expect(again).toEqual(one);
      expect(other).not.toEqual(one);
      await store.reopen();
      expect(await store.state.secret('jwt')).toEqual(one);
    });

    it('answers a ping while it is open and refuses one when it is closed', async () => {
      await store.state.ping();
      await store.state.close();
      await expect(store.state.ping()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    });

    it('writes everything it accepted before it closes', async () => {
      const device = await store.device();
      await store.state.materialiser.start();
      const writes: Promise<unknown>[] = [];
      for (let n = 0; n < 500; n++) {
        writes.push(store.state.telemetryLog.append(aMessage(device, n, { t: String(n) })));
        writes.push(store.state.attributes.save(device.id, 'SHARED', entriesOf({ n: String(n) }), n));
      }
      await store.state.close();
      await Promise.all(writes);
      await store.reopen();
      await store.state.materialiser.start();
      await store.state.materialiser.caughtUp();
      expect(await store.state.telemetryView.history(device.id, 't', ALL)).toHaveLength(500);
      expect((await store.state.events.head(device.id)).offset).toBe(500);
    });

    it('can be closed twice', async () => {
      await store.state.materialiser.start();
      await Promise.all([store.state.close(), store.state.close()]);
      await store.state.close();
    });

    it('refuses every use after it was closed with STORE_UNAVAILABLE', async () => {
      const device = await store.device();
      const { state } = store;
      await state.materialiser.start();
      await state.close();
      const uses: Record<string, () => Promise<unknown>> = {
        append: () => state.telemetryLog.append(aMessage(device, 1, { t: '1' })),
        keys: () => state.telemetryView.keys(device.id),
        latest: () => state.telemetryView.latest(device.id),
        history: () => state.telemetryView.history(device.id, 't', ALL),
        start: () => state.materialiser.start(),
        save: () => state.attributes.save(device.id, 'CLIENT', entriesOf({ a: '1' }), 1),
        read: () => state.attributes.read(device.id, 'CLIENT'),
        snapshot: () => state.attributes.snapshotShared(device.id),
        delete: () => state.attributes.delete(device.id, 'CLIENT', ['a'], 1),
        head: () => state.events.head(device.id),
        events: () => state.events.read(device.id, { epoch: '', offset: 0 }, 1),
        cursor: () => state.events.getCursor(device.id, 1),
        setCursor: () => state.events.setCursor(device.id, { epoch: '', offset: 0 }, 1, 1),
        create: () => state.rpcs.create(aCommand(device)),
        open: () => state.rpcs.open(device.id, 1),
        expired: () => state.rpcs.expired(1, 1),
        transition: () => state.rpcs.transition(device.id, ['QUEUED'], { status: 'SENT' }),
        report: () => state.activity.report(new Map([[device.id, 1]]), { now: 1, defaultTimeout: 1 }),
        settle: () => state.activity.settle({ now: 1, defaultTimeout: 1 }, 1),
        getDevice: () => state.devices.getDevice(device.id),
        listDevices: () => state.devices.listDevices(device.tenantId, { page: 0, pageSize: 1 }),
        resolve: () => state.devices.resolveCredentials('token'),
        deleteDevice: () => state.devices.deleteDevice(device.id),
        secret: () => state.secret('jwt'),
      };
      for (const [name, use] of Object.entries(uses)) {
        const outcome = await use().then(
          () => 'done',
          (error) => error.code,
        );
        expect([name, outcome]).toEqual([name, 'STORE_UNAVAILABLE']);
      }
    });

    it('lets nobody wait for a materialiser that will not go on', async () => {
      const device = await store.device();
      await store.state.telemetryLog.append(aMessage(device, 1, { t: '1' }));
      const waiting = expect(store.state.materialiser.caughtUp()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      await store.state.close();
      await waiting;
    });
  });
}
