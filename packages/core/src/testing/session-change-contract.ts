import { DeviceAuth } from '../auth/device-auth';
import { MetricsRegistry } from '../platform/metrics';
import { FakeClock } from './fake-clock';
import { accepted, type MakeStore, useSharedStore } from './store-under-test';

export function describeSessionChangeContract(makeStore: MakeStore): void {
  describe('DeviceStore: what running sessions hear', () => {
    const store = useSharedStore(makeStore);

    it('tells every change in the order of the writes, and nothing of a write that ran into a conflict', async () => {
      const profile = await store.profile();
      const device = await store.device({}, { profile });
      const credentials = await store.state.devices.getCredentials(device.id);
      if (!credentials) throw new Error('no credentials');
      const changes: unknown[] = [];
      store.state.devices.onSessionChange((change) => changes.push(change));
      await Promise.all([
        store.state.devices.updateDevice(device),
        store.state.devices.updateDevice(device),
        store.state.devices.updateCredentials(credentials),
        store.state.devices.updateCredentials(credentials),
        store.state.devices.updateProfile(profile),
        store.state.devices.updateProfile(profile),
        store.state.devices.deleteDevice(device.id),
      ]);
      await Promise.all([store.state.devices.deleteProfile(profile.id), store.state.devices.deleteProfile(profile.id)]);
      expect(changes).toEqual([
        { kind: 'device', deviceId: device.id },
        { kind: 'credentials', deviceId: device.id },
        { kind: 'profile', profileId: profile.id },
        { kind: 'deleted', deviceId: device.id },
        { kind: 'profile', profileId: profile.id },
      ]);
    });

    it('tells a change before the write resolves, when it can be read already', async () => {
      const device = await store.device({}, { credentials: { credentialsId: 'former' } });
      const credentials = await store.state.devices.getCredentials(device.id);
      if (!credentials) throw new Error('no credentials');
      const order: string[] = [];
      const reads: Promise<unknown>[] = [];
      store.state.devices.onSessionChange(() => {
        order.push('told');
        reads.push(store.state.devices.resolveCredentials('former'));
      });
      await store.state.devices
        .updateCredentials({ ...credentials, credentialsId: 'next' })
        .then(() => order.push('resolved'));
      expect(order).toEqual(['told', 'resolved']);
      expect(await Promise.all(reads)).toEqual([undefined]);
    });

    it('lets a session that runs speak by the profile as it is, from the moment a change of it resolves', async () => {
      const { devices } = store.state;
      const auth = new DeviceAuth(devices, 10, new FakeClock(), new MetricsRegistry());
      const profile = await store.profile({ transportType: 'COAP' });
      await store.device({}, { profile, credentials: { credentialsId: 'running' } });
      expect(await auth.resolve('running')).toMatchObject({ coapDeviceType: 'DEFAULT', deviceType: profile.name });
      accepted(await devices.updateProfile({ ...profile, name: 'renamed', coapDeviceType: 'EFENTO' }));
      expect(auth.cached('running')).toBeUndefined();
      expect(await auth.resolve('running')).toMatchObject({ coapDeviceType: 'EFENTO', deviceType: 'renamed' });
    });

    it('lets a listener that throws harm nobody: the write is made, and the others hear it', async () => {
      const { devices } = store.state;
      const device = await store.device();
      const heard: string[] = [];
      devices.onSessionChange(({ kind }) => {
        throw new Error(`no ${kind}`);
      });
      devices.onSessionChange(({ kind }) => heard.push(kind));
      accepted(await devices.updateDevice(device));
      expect((await devices.deleteDevice(device.id)).ok).toBe(true);
      expect(await devices.getDevice(device.id)).toBeUndefined();
      expect(heard).toEqual(['device', 'deleted']);
    });

    it('tells nobody who has left', async () => {
      const device = await store.device();
      const heard: string[] = [];
      const leave = store.state.devices.onSessionChange(() => heard.push('left'));
      store.state.devices.onSessionChange(() => heard.push('stayed'));
      leave();
      await store.state.devices.updateDevice(device);
      expect(heard).toEqual(['stayed']);
    });
  });
}
