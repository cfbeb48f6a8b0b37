import { certificateId } from '../devices/device-credentials';
import { useCore } from '../devices/testing/core-under-test';
import { MetricsRegistry } from '../platform/metrics';
import type { DeviceStore } from '../state/device-store';
import { aDevice, aProfile, credentialsOf } from '../testing/builders';
import { CERTIFICATE, OTHER_CERTIFICATE, trimmed } from '../testing/certificates';
import { DeviceAuth } from './device-auth';

describe('Access tokens', () => {
  const used = useCore({ TANDEM_CREDENTIALS_CACHE_MAX: '3' });
  const auth = () => used.core.auth;
  const misses = () => used.gauge('tandem_credentials_cache_misses_total');

  it('are read once, and then known', async () => {
    const session = await used.device('known');
    const before = misses();
    expect(await auth().resolve('known')).toEqual(session);
    expect(auth().cached('known')).toEqual(session);
    expect(misses()).toBe(before);
    expect(session).toMatchObject({ deviceName: 'known', deviceType: 'default', transportType: 'DEFAULT' });
  });

  it('that are unknown are refused, and work from the moment they exist', async () => {
    await expect(auth().resolve('later')).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    expect(auth().cached('later')).toBeUndefined();
    const { deviceId } = await used.device('later');
    expect((await auth().resolve('later')).deviceId).toBe(deviceId);
  });

  it('that are empty are refused without a look into the store', async () => {
    await expect(auth().resolve('')).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    expect(misses()).toBe(0);
  });

  it('of another type are none', async () => {
    const { devices } = used.core.state;
    const profile = aProfile();
    const device = aDevice(profile);
    await devices.createProfile(profile);
    const credentials = credentialsOf(device, { credentialsType: 'X509_CERTIFICATE', credentialsId: 'fingerprint' });
    expect(await devices.createDevice(device, credentials)).toMatchObject({ ok: true });
    await expect(auth().resolve('fingerprint')).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    expect(auth().cached('fingerprint')).toBeUndefined();
  });

  it('are kept up to the limit, and all of them go on working', async () => {
    const tokens = ['one', 'two', 'three', 'four', 'five'];
    for (const token of tokens) await used.device(token);
    expect(used.gauge('tandem_credentials_cached')).toBe(3);
    expect(auth().cached('one')).toBeUndefined();
    for (const token of tokens) expect((await auth().resolve(token)).deviceName).toBe(token);
    expect(used.gauge('tandem_credentials_cached')).toBe(3);
  });

  it('are forgotten with a change of the credentials, before the change is acknowledged', async () => {
    const { deviceId } = await used.device('old');
    await used.core.devices.updateCredentials(used.tenantId, deviceId, {
      credentialsType: 'ACCESS_TOKEN',
      credentialsId: 'new',
    });
    expect(auth().cached('old')).toBeUndefined();
    await expect(auth().resolve('old')).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    expect((await auth().resolve('new')).deviceId).toBe(deviceId);
  });

  it('are forgotten with the device', async () => {
    const { deviceId } = await used.device('deleted');
    await used.core.devices.delete(used.tenantId, deviceId);
    expect(auth().cached('deleted')).toBeUndefined();
    await expect(auth().resolve('deleted')).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });

  it('stand for the device as it is now, after a change of it', async () => {
    const { deviceId } = await used.device('renamed');
    await used.core.devices.update(used.tenantId, { id: deviceId, name: 'new name', type: 'new type' });
    expect(await auth().resolve('renamed')).toMatchObject({ deviceName: 'new name', deviceType: 'new type' });
  });

  it('stand for the profile as it is now, after a change of it; other profiles stay known', async () => {
    const { profileId } = await used.device('of the profile');
    await used.core.devices.create(used.tenantId, { name: 'other', type: 'other' }, { credentialsId: 'other' });
    await auth().resolve('other');
    const profile = await used.core.state.devices.getProfile(profileId);
    if (!profile) throw new Error('no profile');
    await used.core.state.devices.updateProfile({ ...profile, name: 'renamed' });
    expect(auth().cached('of the profile')).toBeUndefined();
    expect(auth().cached('other')).toBeDefined();
    expect(await auth().resolve('of the profile')).toMatchObject({ deviceType: 'renamed' });
  });

  describe('read while something changes', () => {
    /** Over a store whose readings are held back once they have been made; each call lets one go. */
    const slowAuth = () => {
      const { devices } = used.core.state;
      const held: Array<() => void> = [];
      const slow: DeviceStore = Object.create(devices, {
        resolveCredentials: {
          value: async (token: string) => {
            const found = await devices.resolveCredentials(token);
            await new Promise<void>((resolve) => held.push(resolve));
            return found;
          },
        },
        onSessionChange: { value: devices.onSessionChange.bind(devices) },
      });
      const arrive = async () => {
        held.shift()?.();
        await used.quiet();
      };
      return { auth: new DeviceAuth(slow, 10, used.clock, new MetricsRegistry()), arrive };
    };

    it('are read again: one that has just been taken away does not get in', async () => {
      const { deviceId } = await used.device('racing');
      const { auth, arrive } = slowAuth();
      const refused = expect(auth.resolve('racing')).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
      await used.quiet();
      const credentials = { credentialsType: 'ACCESS_TOKEN', credentialsId: 'changed' } as const;
      await used.core.devices.updateCredentials(used.tenantId, deviceId, credentials);
      await arrive();
      await arrive();
      await refused;
      expect(auth.cached('racing')).toBeUndefined();
    });

    it('are let in but not kept where the changes do not end', async () => {
      const { deviceId } = await used.device('racing');
      const { deviceId: busy } = await used.device('busy');
      const { auth, arrive } = slowAuth();
      const session = auth.resolve('racing');
      for (const name of ['a', 'b', 'c']) {
        await used.quiet();
        await used.core.devices.update(used.tenantId, { id: busy, name });
        await arrive();
      }
      expect((await session).deviceId).toBe(deviceId);
      expect(auth.cached('racing')).toBeUndefined();
    });
  });
});

describe('Certificates', () => {
  const used = useCore({ TANDEM_CREDENTIALS_CACHE_MAX: '3' });
  const auth = () => used.core.auth;
  const X509 = 'X509_CERTIFICATE';
  const cached = (id: string) => auth().cachedFor(X509, id);
  const [one, other] = [CERTIFICATE, OTHER_CERTIFICATE].map((pem) => certificateId(trimmed(pem))) as [string, string];
  const give = (deviceId: string, credentialsValue: string) =>
    used.core.devices.updateCredentials(used.tenantId, deviceId, { credentialsType: X509, credentialsValue });

  it('stand for their device, and are known after the first time', async () => {
    const { deviceId } = await used.device('one');
    await give(deviceId, CERTIFICATE);
    const session = await auth().resolveFor(X509, [one]);
    expect(session).toMatchObject({ deviceId, deviceName: 'one' });
    expect(cached(one)).toBe(session);
    expect(auth().isCurrent(session)).toBe(true);
  });

  it('are tried in the order given, also where a later one is known already', async () => {
    const [{ deviceId }, second] = [await used.device('one'), await used.device('two')];
    await give(deviceId, CERTIFICATE);
    await give(second.deviceId, OTHER_CERTIFICATE);
    expect(await auth().resolveFor(X509, ['unknown', other])).toMatchObject({ deviceName: 'two' });
    expect(await auth().resolveFor(X509, [one, other])).toMatchObject({ deviceName: 'one' });
    await expect(auth().resolveFor(X509, [])).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    await expect(auth().resolveFor(X509, ['unknown', ''])).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });

  it('are no tokens, and tokens are no certificates, known or not', async () => {
    await give((await used.device('one')).deviceId, CERTIFICATE);
    await used.device('token');
    await auth().resolveFor(X509, [one]);
    expect(auth().cached(one)).toBeUndefined();
    expect(cached('token')).toBeUndefined();
    await expect(auth().resolve(one)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    await expect(auth().resolveFor(X509, ['token'])).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });

  it('are forgotten with a change of the credentials, the device or its profile', async () => {
    const { deviceId, profileId } = await used.device('one');
    const known = async () => {
      await auth().resolveFor(X509, [one]);
      expect(cached(one)).toBeDefined();
    };
    await give(deviceId, CERTIFICATE);
    await known();
    await used.core.devices.update(used.tenantId, { id: deviceId, name: 'renamed' });
    expect(cached(one)).toBeUndefined();
    await known();
    const profile = await used.core.state.devices.getProfile(profileId);
    if (!profile) throw new Error('no profile');
    await used.core.state.devices.updateProfile({ ...profile, name: 'changed' });
    expect(cached(one)).toBeUndefined();
    await known();
    await give(deviceId, OTHER_CERTIFICATE);
    expect(cached(one)).toBeUndefined();
    await expect(auth().resolveFor(X509, [one])).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    await auth().resolveFor(X509, [other]);
    await used.core.devices.delete(used.tenantId, deviceId);
    expect(cached(other)).toBeUndefined();
  });

  it('are kept within the one limit for all', async () => {
    await give((await used.device('one')).deviceId, CERTIFICATE);
    await auth().resolveFor(X509, [one]);
    for (const token of ['a', 'b', 'c']) await used.device(token);
    expect(used.gauge('tandem_credentials_cached')).toBe(3);
    expect(cached(one)).toBeUndefined();
    expect(await auth().resolveFor(X509, [one])).toMatchObject({ deviceName: 'one' });
    expect(used.gauge('tandem_credentials_cached')).toBe(3);
    expect(auth().cached('a')).toBeUndefined();
    used.missChanges();
    expect(used.gauge('tandem_credentials_cached')).toBe(0);
    expect(cached(one)).toBeUndefined();
  });
});

describe('The end of sessions', () => {
  const used = useCore();

  it('is heard by who listens, for that device, until he stops', async () => {
    const session = await used.device('ending');
    const { deviceId } = session;
    const other = await used.device('other');
    const [heard, stopped, foreign] = [jest.fn(), jest.fn(), jest.fn()];
    used.core.auth.onSessionEnd(session, heard);
    used.core.auth.onSessionEnd(session, stopped)();
    used.core.auth.onSessionEnd(other, foreign);
    await used.core.devices.update(used.tenantId, { id: deviceId, name: 'renamed' });
    expect(heard).not.toHaveBeenCalled();
    const credentials = { credentialsType: 'ACCESS_TOKEN', credentialsId: 'changed' } as const;
    await used.core.devices.updateCredentials(used.tenantId, deviceId, credentials);
    await used.core.devices.delete(used.tenantId, deviceId);
    expect(heard.mock.calls).toEqual([['credentials'], ['deleted']]);
    expect(stopped).not.toHaveBeenCalled();
    expect(foreign).not.toHaveBeenCalled();
  });
});
