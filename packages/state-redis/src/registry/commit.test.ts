import { type Device, MetricsRegistry, silentLogger, systemClock, systemRandom } from '@tandem/core';
import { aDevice, aProfile, credentialsOf, TENANT_ID } from '@tandem/core/testing';
import { Keys } from '../keys';
import { type RedisServer, startRedis } from '../testing/redis-server';
import { Commit } from './commit';
import { SessionChanges } from './session-changes';
import { DeafWakes, RegistryProcess } from './testing/registry-process';
import { RegistryWriter } from './writer';

const keys = new Keys('t');

describe('Writes of the registry', () => {
  let server: RedisServer;
  let one: RegistryProcess;
  let other: RegistryProcess;
  beforeAll(async () => {
    server = await startRedis();
  });
  beforeEach(async () => {
    await server.cli('FLUSHALL');
    one = await RegistryProcess.start(server, keys, 'one');
    other = await RegistryProcess.start(server, keys, 'other');
  });
  afterEach(() => Promise.all([one.close(), other.close()]));
  afterAll(() => server.stop());

  it('are made once where each is sent twice because its answer got lost', async () => {
    one.commands.network = async (send) => {
      await send();
      return send();
    };
    const { devices } = one;
    const [from, to] = [aProfile({ isDefault: true }), aProfile()];
    const device = aDevice(from);
    expect(await devices.createProfile(from)).toEqual({ ok: true, value: from });
    expect(await devices.createProfile(to)).toEqual({ ok: true, value: to });
    expect(await devices.createDevice(device, credentialsOf(device))).toEqual({ ok: true, value: device });
    const moved: Device = { ...device, name: 'moved', deviceProfileId: to.id, type: to.name };
    expect(await devices.updateDevice(moved)).toEqual({ ok: true, value: { ...moved, version: 2 } });
    expect(await devices.deleteProfile(from.id)).toEqual({ ok: true, value: from });
    expect(await devices.deleteProfile(to.id)).toEqual({ ok: false, conflict: 'IN_USE' });
    expect(await devices.deleteDevice(device.id)).toMatchObject({ ok: true });
    expect(await devices.deleteProfile(to.id)).toEqual({ ok: true, value: to });
    expect(one.heard).toEqual([
      { kind: 'device', deviceId: device.id },
      { kind: 'profile', profileId: from.id },
      { kind: 'deleted', deviceId: device.id },
      { kind: 'profile', profileId: to.id },
    ]);
    expect(await server.cli('XLEN', keys.registry('changes'))).toBe('5');
  });

  it('leave only the tombstone of a device and the memory of what was sent when all is deleted', async () => {
    const profile = aProfile({ isDefault: true });
    const device = aDevice(profile);
    await one.devices.createProfile(profile);
    await one.devices.createDevice(device, credentialsOf(device));
    await one.devices.deleteDevice(device.id);
    await one.devices.deleteProfile(profile.id);
    const left = (await server.cli('KEYS', '*')).split('\n');
    expect(left.filter((key) => !key.startsWith(keys.registry('commit:'))).sort()).toEqual(
      [keys.device(device.id, 'log'), keys.registry('changes'), keys.registry('meta'), keys.registry('readers')].sort(),
    );
    for (const key of left.filter((name) => name.startsWith(keys.registry('commit:')))) {
      expect(Number(await server.cli('PTTL', key))).toBeGreaterThan(0);
    }
    expect(Number(await server.cli('PTTL', keys.device(device.id, 'log')))).toBeGreaterThan(3_000_000);
  });

  it.each([
    'profiles',
    'device-names',
    'credentials-by-hash',
    'devices',
    'credentials',
    'epochs',
    'purges',
    'profile-uses',
  ])('are refused and change nothing where a key of another program is in the place of %s', async (table) => {
    const profile = aProfile();
    const device = aDevice(profile);
    await one.devices.createProfile(profile);
    await server.cli('DEL', keys.registry(table));
    await server.cli('SET', keys.registry(table), 'foreign');
    const before = await server.cli('DEBUG', 'DIGEST');
    await expect(one.devices.createDevice(device, credentialsOf(device))).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(await server.cli('DEBUG', 'DIGEST')).toBe(before);
    expect(await server.cli('GET', keys.registry(table))).toBe('foreign');
  });

  it('are refused and change nothing where the changes cannot be told or a counter is no number', async () => {
    const profile = aProfile();
    const device = aDevice(profile);
    await one.devices.createProfile(profile);
    await server.cli('SET', keys.registry('changes'), 'foreign');
    await server.cli('HSET', keys.registry('profile-uses'), profile.id, 'many');
    const before = await server.cli('DEBUG', 'DIGEST');
    const update = one.devices.updateProfile({ ...profile, name: 'renamed' });
    await expect(update).rejects.toMatchObject({ code: 'INTERNAL' });
    await server.cli('DEL', keys.registry('changes'));
    await expect(one.devices.createDevice(device, credentialsOf(device))).rejects.toMatchObject({ code: 'INTERNAL' });
    await server.cli('SET', keys.registry('changes'), 'foreign');
    expect(await server.cli('DEBUG', 'DIGEST')).toBe(before);
  });

  it('are refused and change nothing when Redis is out of memory, and a deleted device is cleared away all the same', async () => {
    const profile = aProfile();
    const device = aDevice(profile);
    await one.devices.createProfile(profile);
    await server.cli('HSET', keys.device(device.id, 'log'), 'epoch', 'e');
    await server.cli('HSET', keys.device(device.id, 'attr:c'), 'a', '1');
    const before = await server.cli('DEBUG', 'DIGEST');
    await server.cli('CONFIG', 'SET', 'maxmemory', '1');
    try {
      await expect(one.devices.createDevice(device, credentialsOf(device))).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
      });
      expect(await server.cli('DEBUG', 'DIGEST')).toBe(before);
      await expect(one.registry.purge.run(device.id, 'e')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      expect(await server.cli('EXISTS', keys.device(device.id, 'attr:c'))).toBe('0');
    } finally {
      await server.cli('CONFIG', 'SET', 'maxmemory', '0');
    }
  });

  it('give a name, a token and a version to one of many that want it in two processes at once', async () => {
    const profile = aProfile();
    await one.devices.createProfile(profile);
    const made = await Promise.all(
      [one, other, one, other].map(({ devices }) => {
        const device = aDevice(profile, { name: 'wanted' });
        return devices.createDevice(device, credentialsOf(device));
      }),
    );
    expect(made.filter(({ ok }) => ok)).toHaveLength(1);
    const device = await other.devices.findDeviceByName(TENANT_ID, 'wanted');
    if (!device) throw new Error('nobody has the name');
    const saved = await Promise.all(
      [one, other, one, other].map(({ devices }, n) => devices.updateDevice({ ...device, label: String(n) })),
    );
    expect(saved.map((outcome) => (outcome.ok ? 'saved' : outcome.conflict)).sort()).toEqual([
      'VERSION',
      'VERSION',
      'VERSION',
      'saved',
    ]);
    expect(await one.devices.getDevice(device.id)).toMatchObject({ version: 2 });
  });

  it('leave one default profile when all of them are saved as the default at once', async () => {
    const profiles = Array.from({ length: 6 }, () => aProfile());
    for (const profile of profiles) await one.devices.createProfile(profile);
    await Promise.all(
      profiles.map((profile, n) => (n % 2 ? one : other).devices.updateProfile({ ...profile, isDefault: true })),
    );
    const { data } = await one.devices.listProfiles(TENANT_ID, { page: 0, pageSize: 100 });
    expect(data).toHaveLength(6);
    expect(data.filter(({ isDefault }) => isDefault)).toEqual([await other.devices.findDefaultProfile(TENANT_ID)]);
  });

  it('give up with a time to try again when others never stop writing what they depend on', async () => {
    const changes = new SessionChanges(one.commands, keys, new DeafWakes(), {
      processId: 'busy',
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      metrics: new MetricsRegistry(),
      publish: 'PUBLISH',
      wait: 500,
    });
    const random = { ...systemRandom, fraction: () => 0 };
    const writer = new RegistryWriter(one.commands, keys, changes, {
      processId: 'busy',
      publish: 'PUBLISH',
      clock: systemClock,
      random,
    });
    let asked = 0;
    const plan = async () => {
      asked++;
      return { value: 1, commit: new Commit().unchanged('meta', 'id', 'always another').set('meta', 'x', 'y') };
    };
    await expect(writer.write(plan)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryAfter: 1_000 });
    expect(asked).toBe(10);
    expect(await server.cli('HEXISTS', keys.registry('meta'), 'x')).toBe('0');
  });

  it('lists thousands of devices, each once', async () => {
    const profile = aProfile();
    await one.devices.createProfile(profile);
    const made = Array.from({ length: 3_000 }, (_, n) => aDevice(profile, { name: `device ${n}` }));
    await Promise.all(made.map((device) => one.devices.createDevice(device, credentialsOf(device))));
    const first = await one.devices.listDevices(TENANT_ID, { page: 0, pageSize: 1_500 });
    const second = await one.devices.listDevices(TENANT_ID, { page: 1, pageSize: 1_500 });
    expect(first.totalElements).toBe(3_000);
    expect(new Set([...first.data, ...second.data].map(({ id }) => id)).size).toBe(3_000);
  });

  it('make a secret that every process has', async () => {
    const [mine, theirs] = await Promise.all([one.registry.secret('jwt'), other.registry.secret('jwt')]);
    expect(mine.length).toBe(64);
    expect(theirs).toEqual(mine);
  });
});
