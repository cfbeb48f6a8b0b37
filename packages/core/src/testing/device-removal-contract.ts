import { aCommand, aMessage, CREATED, credentialsOf, entriesOf } from './builders';
import { accepted, hintsOf, type MakeStore, useSharedStore } from './store-under-test';

const ALL = { startTs: 0, endTs: 100, limit: 100, order: 'ASC' } as const;
const PAGE = { page: 0, pageSize: 10 };

export function describeDeviceRemovalContract(makeStore: MakeStore): void {
  describe('Deleting a device', () => {
    const store = useSharedStore(makeStore);

    it('removes all it had, also what still waits in the log, and nothing of its neighbour', async () => {
      const profile = await store.profile();
      const [device, neighbour] = [await store.device({}, { profile }), await store.device({}, { profile })];
      const credentials = await store.state.devices.getCredentials(device.id);
      const commands: string[] = [];
      for (const { id } of [device, neighbour]) {
        const owner = id === device.id ? device : neighbour;
        for (const scope of ['CLIENT', 'SHARED', 'SERVER'] as const) {
          await store.state.attributes.save(id, scope, entriesOf({ a: '1' }), 1);
        }
        await store.state.events.setCursor(id, await store.state.events.head(id), CREATED, 60_000);
        for (const persistent of [true, false]) {
          const command = await store.state.rpcs.create(aCommand(owner, { persistent }));
          commands.push(command?.id ?? '');
        }
        await store.state.telemetryLog.append(aMessage(owner, 1, { t: '1' }));
      }
      await store.state.materialiser.start();
      await store.state.materialiser.caughtUp();
      await store.state.materialiser.stop();
      await store.state.telemetryLog.append(aMessage(device, 2, { t: '2', late: '2' }));

      expect(accepted(await store.state.devices.deleteDevice(device.id))).toEqual(device);
      await store.state.materialiser.start();
      await store.state.materialiser.caughtUp();

      const { devices, attributes, events, rpcs, telemetryView } = store.state;
      expect(await devices.getDevice(device.id)).toBeUndefined();
      expect(await devices.findDeviceByName(device.tenantId, device.name)).toBeUndefined();
      expect((await devices.listDevices(device.tenantId, PAGE)).data).toEqual([neighbour]);
      expect(await devices.getCredentials(device.id)).toBeUndefined();
      expect(await devices.resolveCredentials(credentials?.credentialsId ?? '')).toBeUndefined();
      for (const [{ id }, left] of [
        [device, 0],
        [neighbour, 1],
      ] as const) {
        for (const scope of ['CLIENT', 'SHARED', 'SERVER'] as const) {
          expect(await attributes.read(id, scope)).toHaveLength(left);
        }
        expect((await events.head(id)).offset).toBe(left);
        expect(await events.getCursor(id, CREATED)).toEqual(left ? await events.head(id) : undefined);
        expect(await rpcs.open(id, CREATED)).toHaveLength(left * 2);
        expect((await rpcs.list(id, PAGE)).data).toHaveLength(left);
        expect(await rpcs.nextRequestId(id)).toBe(left * 2);
        expect(await telemetryView.keys(id)).toHaveLength(left);
        expect((await telemetryView.latest(id, ['t', 'late'])).size).toBe(left);
        expect(await telemetryView.history(id, 't', ALL)).toHaveLength(left);
      }
      expect(await Promise.all(commands.map(async (id) => (await rpcs.get(id))?.deviceId))).toEqual([
        undefined,
        undefined,
        neighbour.id,
        neighbour.id,
      ]);
      const lapsed = await rpcs.expired(CREATED + 1_000_000, 10);
      expect(lapsed.map(({ deviceId }) => deviceId)).toEqual([neighbour.id, neighbour.id]);
    });

    it('frees its name, its credentials and its profile', async () => {
      const profile = await store.profile();
      const device = await store.device({}, { profile });
      const credentials = await store.state.devices.getCredentials(device.id);
      await store.state.devices.deleteDevice(device.id);
      const token = { credentialsId: credentials?.credentialsId };
      const successor = await store.device({ name: device.name }, { profile, credentials: token });
      await store.state.devices.deleteDevice(successor.id);
      expect(await store.state.devices.deleteProfile(profile.id)).toEqual({ ok: true, value: profile });
    });

    it('leaves nothing for a device that is made again with the same id', async () => {
      const profile = await store.profile();
      const device = await store.device({}, { profile });
      await store.state.rpcs.create(aCommand(device));
      await store.state.attributes.save(device.id, 'SHARED', entriesOf({ a: '1' }), 1);
      await store.state.devices.deleteDevice(device.id);
      accepted(await store.state.devices.createDevice(device, credentialsOf(device)));
      expect(await store.state.attributes.read(device.id, 'SHARED')).toEqual([]);
      expect(await store.state.rpcs.findByRequestId(device.id, 0)).toBeUndefined();
      expect((await store.state.rpcs.create(aCommand(device)))?.requestId).toBe(0);
    });

    it('wakes whoever waits for its commands, which are gone by then, after the sessions were told', async () => {
      const [device, neighbour] = [await store.device(), await store.device()];
      const command = await store.state.rpcs.create(aCommand(device));
      const heard: string[] = [];
      const seen: unknown[] = [];
      store.state.devices.onSessionChange(({ kind }) => heard.push(kind));
      const woken = new Promise<void>((resolve) => {
        store.state.events.watch(device.id, (wake) => {
          heard.push(wake);
          if (!heard.includes('deleted')) return;
          store.state.rpcs.get(command?.id ?? '').then((rpc) => {
            seen.push(rpc);
            resolve();
          });
        });
      });
      const ofNeighbour: string[] = [];
      store.state.events.watch(neighbour.id, (wake) => ofNeighbour.push(wake));
      await store.state.devices.deleteDevice(device.id);
      await woken;
      expect(hintsOf(heard)).toEqual(['deleted', 'rpc']);
      expect(hintsOf(ofNeighbour)).toEqual([]);
      expect(seen.at(-1)).toBeUndefined();
    });

    it('is told to running sessions; a second deletion is ABSENT and told to nobody', async () => {
      const { id } = await store.device();
      const changes: unknown[] = [];
      store.state.devices.onSessionChange((change) => changes.push(change));
      const [first, second] = await Promise.all([
        store.state.devices.deleteDevice(id),
        store.state.devices.deleteDevice(id),
      ]);
      expect([first.ok, second]).toEqual([true, { ok: false, conflict: 'ABSENT' }]);
      expect(changes).toEqual([{ kind: 'deleted', deviceId: id }]);
    });
  });
}
