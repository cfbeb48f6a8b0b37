import { type Device, type DeviceProfile, MetricsRegistry } from '@tandem/core';
import { aDevice, aProfile, credentialsOf } from '@tandem/core/testing';
import { Keys } from '../keys';
import { type RedisServer, startRedis } from '../testing/redis-server';
import { DeafWakes, RegistryProcess } from './testing/registry-process';

const keys = new Keys('t');
const UNHEARD = 'tandem_session_changes_unheard_total';

describe('A change of sessions', () => {
  let server: RedisServer;
  const processes: RegistryProcess[] = [];
  const start = async (...args: [string, Parameters<typeof RegistryProcess.start>[3]?]) => {
    const process = await RegistryProcess.start(server, keys, ...args);
    processes.push(process);
    return process;
  };
  beforeAll(async () => {
    server = await startRedis();
  });
  beforeEach(() => server.cli('FLUSHALL'));
  afterEach(() => Promise.all(processes.splice(0).map((process) => process.close())));
  afterAll(() => server.stop());

  const made = async ({ devices }: RegistryProcess): Promise<{ device: Device; profile: DeviceProfile }> => {
    const profile = aProfile();
    const device = aDevice(profile);
    await devices.createProfile(profile);
    await devices.createDevice(device, credentialsOf(device));
    return { device, profile };
  };
  const save = async ({ devices }: RegistryProcess, id: string): Promise<void> => {
    const profile = await devices.getProfile(id);
    if (profile) expect(await devices.updateProfile(profile)).toMatchObject({ ok: true });
  };
  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const begun = performance.now();
    await work();
    return performance.now() - begun;
  };
  const unheard = (metrics: MetricsRegistry) => metrics.value(UNHEARD);

  it('is heard by every other process before the write resolves, whatever it is of', async () => {
    const [writer, ...readers] = [await start('writer'), await start('one'), await start('two')];
    const { profile, device } = await made(writer);
    const { devices } = writer;
    const credentials = await devices.getCredentials(device.id);
    if (!credentials) throw new Error('no credentials');
    const deviceId = device.id;
    const heard = () => readers.map((reader) => reader.heard.at(-1));
    await devices.updateProfile(profile);
    expect(heard()).toEqual(Array(2).fill({ kind: 'profile', profileId: profile.id }));
    await devices.updateDevice(device);
    expect(heard()).toEqual(Array(2).fill({ kind: 'device', deviceId }));
    await devices.updateCredentials(credentials);
    expect(heard()).toEqual(Array(2).fill({ kind: 'credentials', deviceId }));
    await devices.deleteDevice(device.id);
    expect(heard()).toEqual(Array(2).fill({ kind: 'deleted', deviceId }));
    await devices.deleteProfile(profile.id);
    expect(heard()).toEqual(Array(2).fill({ kind: 'profile', profileId: profile.id }));
  });

  it('is heard each time when two processes save again and again, by turns and many at once', async () => {
    const [one, other] = [await start('one'), await start('other')];
    const profiles: DeviceProfile[] = [];
    for (let n = 0; n < 10; n++) profiles.push((await made(one)).profile);
    const count = (process: RegistryProcess, id: string) =>
      process.heard.filter((change) => change.kind === 'profile' && change.profileId === id).length;
    await Promise.all(
      profiles.map(async ({ id }, n) => {
        for (let times = 1; times <= 20; times++) {
          const [writer, reader] = (n + times) % 2 ? [one, other] : [other, one];
          await save(writer, id);
          expect(count(reader, id)).toBe(times);
        }
      }),
    );
  });

  it('waits once and not for ever for a process that does not hear, and is counted and said', async () => {
    const metrics = new MetricsRegistry();
    const writer = await start('writer', { changeWait: 60, metrics });
    const wakes = new DeafWakes();
    const reader = await start('reader', { wakes });
    const { profile } = await made(writer);
    expect(await timed(() => save(writer, profile.id))).toBeGreaterThan(55);
    expect(unheard(metrics)).toBe(1);
    for (let n = 0; n < 5; n++) await save(writer, profile.id);
    expect(unheard(metrics)).toBe(1);
    expect(writer.log).toEqual(['a change was answered before every process had heard of it']);
    wakes.reconnected();
    await reader.until(() => reader.heard.length === 6);
    // Answered behind what the reader has said by then.
    await reader.registry.changes.catchUp();
    // It hears again, and is waited for again.
    await save(writer, profile.id);
    expect(unheard(metrics)).toBe(2);
  });

  it('shares the wait with others that are under way', async () => {
    const writer = await start('writer', { changeWait: 200 });
    await start('reader', { wakes: new DeafWakes() });
    const profiles: DeviceProfile[] = [];
    for (let n = 0; n < 20; n++) profiles.push((await made(writer)).profile);
    expect(await timed(() => Promise.all(profiles.map(({ id }) => save(writer, id))))).toBeLessThan(1_000);
  });

  it('does not wait for a process that was closed, nor for one that is gone for long', async () => {
    const metrics = new MetricsRegistry();
    const writer = await start('writer', { metrics });
    const reader = await start('reader', { wakes: new DeafWakes() });
    const { profile } = await made(writer);
    await reader.close();
    processes.splice(processes.indexOf(reader), 1);
    const [seconds = ''] = (await server.cli('TIME')).split('\n');
    await server.cli('HSET', keys.registry('readers'), 'killed', `0 ${(Number(seconds) - 11) * 1_000}`);
    await save(writer, profile.id);
    expect(unheard(metrics)).toBe(0);
    expect(await server.cli('HKEYS', keys.registry('readers'))).toBe('writer');
  });

  it('does not wait where it is told not to', async () => {
    const metrics = new MetricsRegistry();
    const writer = await start('writer', { changeWait: 0, metrics });
    await start('reader', { wakes: new DeafWakes() });
    await save(writer, (await made(writer)).profile.id);
    expect(unheard(metrics)).toBe(0);
  });

  it('goes on being waited for when Redis was restarted empty', async () => {
    const metrics = new MetricsRegistry();
    const [writer, reader] = [await start('writer', { metrics }), await start('reader')];
    for (let n = 0; n < 3; n++) await save(writer, (await made(writer)).profile.id);
    await server.restart({ empty: true });
    await Promise.all([writer, reader].map((each) => each.until(() => each.resets === 1)));
    const { profile } = await made(writer);
    reader.heard.length = 0;
    await save(writer, profile.id);
    expect(reader.heard).toEqual([{ kind: 'profile', profileId: profile.id }]);
    expect(unheard(metrics)).toBe(0);
  });

  it('lets no new device wait', async () => {
    const metrics = new MetricsRegistry();
    const writer = await start('writer', { metrics });
    await start('reader', { wakes: new DeafWakes() });
    await made(writer);
    expect(unheard(metrics)).toBe(0);
  });
});
