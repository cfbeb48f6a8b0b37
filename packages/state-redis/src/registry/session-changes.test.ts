import { type Device, DeviceAuth, type DeviceProfile, MetricsRegistry, TandemError } from '@tandem/core';
import { aDevice, aProfile, credentialsOf, FakeClock } from '@tandem/core/testing';
import { Keys } from '../keys';
import { type RedisServer, startRedis } from '../testing/redis-server';
import { DeafWakes, RegistryProcess } from './testing/registry-process';

const keys = new Keys('t');

describe('Changes that sessions hear of', () => {
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

  const made = async (process: RegistryProcess): Promise<{ device: Device; profile: DeviceProfile }> => {
    const profile = aProfile();
    const device = aDevice(profile);
    await process.devices.createProfile(profile);
    await process.devices.createDevice(device, credentialsOf(device));
    return { device, profile };
  };
  const rename = async (process: RegistryProcess, { id }: Device, times = 1) => {
    for (let n = 0; n < times; n++) {
      const device = await process.devices.getDevice(id);
      if (device) await process.devices.updateDevice({ ...device, label: String(n) });
    }
  };

  it('of a profile reach the sessions of its devices on another process, and so does its deletion', async () => {
    const [writer, reader] = [await start('writer'), await start('reader')];
    const auth = new DeviceAuth(reader.devices, 10, new FakeClock(), new MetricsRegistry());
    const profile = aProfile();
    const device = aDevice(profile);
    const credentials = credentialsOf(device);
    await writer.devices.createProfile(profile);
    await writer.devices.createDevice(device, credentials);
    const token = credentials.credentialsId;
    expect((await auth.resolve(token)).deviceType).toBe(profile.name);
    await writer.devices.updateProfile({ ...profile, name: 'renamed' });
    await reader.until(() => auth.cached(token) === undefined);
    expect((await auth.resolve(token)).deviceType).toBe('renamed');
    await writer.devices.deleteDevice(device.id);
    await writer.devices.deleteProfile(profile.id);
    await reader.until(() => reader.heard.length === 3);
    expect(reader.heard.at(-1)).toEqual({ kind: 'profile', profileId: profile.id });
  });

  it('are heard by every other process in the order of the writes, and once by the one that wrote', async () => {
    const [writer, reader] = [await start('writer'), await start('reader')];
    const { device, profile } = await made(writer);
    await rename(writer, device, 3);
    await writer.devices.updateProfile(profile);
    const credentials = await writer.devices.getCredentials(device.id);
    if (!credentials) throw new Error('no credentials');
    await writer.devices.updateCredentials(credentials);
    await writer.devices.deleteDevice(device.id);
    await reader.until(() => reader.heard.length === 6);
    const { id: deviceId } = device;
    expect(reader.heard).toEqual([
      { kind: 'device', deviceId },
      { kind: 'device', deviceId },
      { kind: 'device', deviceId },
      { kind: 'profile', profileId: profile.id },
      { kind: 'credentials', deviceId },
      { kind: 'deleted', deviceId },
    ]);
    await writer.registry.changes.catchUp();
    expect(writer.heard).toEqual(reader.heard);
  });

  it('are not heard by a process that started after them', async () => {
    const writer = await start('writer');
    await rename(writer, (await made(writer)).device, 2);
    const reader = await start('reader');
    await reader.registry.changes.catchUp();
    expect(reader.heard).toEqual([]);
  });

  it('are heard after a subscriber was away, none left out', async () => {
    const wakes = new DeafWakes();
    const [writer, reader] = [await start('writer'), await start('reader', { wakes })];
    const { device } = await made(writer);
    await rename(writer, device, 2_500);
    expect(reader.heard).toEqual([]);
    wakes.reconnected();
    await reader.until(() => reader.heard.length === 2_500);
    expect(new Set(reader.heard.map(({ kind }) => kind))).toEqual(new Set(['device']));
  });

  it('are heard without any wake-up, on a slow timer', async () => {
    const [writer, reader] = [
      await start('writer'),
      await start('reader', { wakes: new DeafWakes(), changesInterval: 20 }),
    ];
    const { device } = await made(writer);
    await rename(writer, device);
    await reader.until(() => reader.heard.length === 1);
    expect(reader.heard).toEqual([{ kind: 'device', deviceId: device.id }]);
  });

  it('are told as missed where they are not kept any more, and those after them are heard again', async () => {
    const wakes = new DeafWakes();
    const [writer, reader] = [await start('writer'), await start('reader', { wakes })];
    const { device } = await made(writer);
    await rename(writer, device, 3);
    await server.cli('XTRIM', keys.registry('changes'), 'MAXLEN', '1');
    wakes.reconnected();
    await reader.until(() => reader.heard.length === 1);
    expect(reader.heard).toEqual([{ kind: 'missed' }]);
    await rename(writer, device);
    wakes.reconnected();
    await reader.until(() => reader.heard.length === 2);
    expect(reader.heard[1]).toEqual({ kind: 'device', deviceId: device.id });
    expect(reader.resets).toBe(0);
  });

  it('are told as missed after a fail-over to a replica that had not the last of them', async () => {
    const wakes = new DeafWakes();
    const [writer, reader] = [await start('writer'), await start('reader', { wakes })];
    const { device } = await made(writer);
    await rename(writer, device, 2);
    await reader.registry.changes.catchUp();
    const before = reader.heard.length;
    await server.cli('DEL', keys.registry('changes'));
    await rename(writer, device, 3);
    wakes.reconnected();
    await reader.until(() => reader.heard.length > before);
    expect(reader.heard.slice(before)).toEqual([{ kind: 'missed' }]);
  });

  it('are told as missed after a restart with an older file, which lacks devices that told nothing', async () => {
    const [writer, reader] = [
      await start('writer', { changesInterval: 20 }),
      await start('reader', { changesInterval: 20 }),
    ];
    const { profile, device } = await made(writer);
    await rename(writer, device);
    await reader.until(() => reader.heard.length === 1);
    await server.cli('SAVE');
    const lost = aDevice(profile);
    const credentials = credentialsOf(lost);
    await writer.devices.createDevice(lost, credentials);
    expect(await reader.devices.resolveCredentials(credentials.credentialsId)).toMatchObject({ device: lost });
    await server.kill9();
    await server.restart();
    await Promise.all([writer, reader].map((each) => each.until(() => each.heard.length > 1)));
    expect(await reader.devices.resolveCredentials(credentials.credentialsId)).toBeUndefined();
    await Promise.all([writer, reader].map((each) => each.registry.changes.catchUp()));
    for (const { heard, resets } of [writer, reader]) {
      expect(heard.slice(1)).toEqual([{ kind: 'missed' }]);
      expect(resets).toBe(0);
    }
    await rename(writer, device);
    await reader.until(() => reader.heard.length === 3);
    expect(reader.heard[2]).toEqual({ kind: 'device', deviceId: device.id });
  });

  it('are told to the process that wrote when the answer was lost, once, whether the stream was read before or after', async () => {
    const writer = await start('writer');
    const { device } = await made(writer);
    for (const readBefore of [true, false]) {
      writer.heard.length = 0;
      writer.commands.network = async (send) => {
        await send();
        if (readBefore) await writer.registry.changes.catchUp();
        throw new TandemError('STORE_UNAVAILABLE');
      };
      await expect(rename(writer, device)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      await writer.registry.changes.catchUp();
      expect(writer.heard).toEqual([{ kind: 'device', deviceId: device.id }]);
    }
  });

  it('are not told where the write never reached Redis', async () => {
    const writer = await start('writer');
    const { device } = await made(writer);
    writer.commands.network = () => Promise.reject(new TandemError('STORE_UNAVAILABLE'));
    await expect(rename(writer, device)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await writer.registry.changes.catchUp();
    expect(writer.heard).toEqual([]);
  });

  it('begin anew in every process when Redis was restarted empty, once it is usable again', async () => {
    const order: string[] = [];
    const restore = async () => {
      order.push(`restore ${await server.cli('HEXISTS', keys.registry('meta'), 'id')}`);
    };
    const [one, other] = [await start('one', { restore }), await start('other')];
    one.registry.onReset(() => order.push('reset'));
    const { device } = await made(one);
    await rename(one, device);
    await other.until(() => other.heard.length === 1);
    await server.restart({ empty: true });
    await Promise.all([one.until(() => one.resets === 1), other.until(() => other.resets === 1)]);
    expect(order).toEqual(['restore 1', 'reset']);
    expect(one.heard.at(-1)).toEqual({ kind: 'missed' });
    expect(other.heard.at(-1)).toEqual({ kind: 'missed' });
    expect(await one.devices.getDevice(device.id)).toBeUndefined();
    const { device: next } = await made(one);
    await rename(one, next);
    await other.until(() => other.heard.length === 3);
    expect(other.heard[2]).toEqual({ kind: 'device', deviceId: next.id });
    await Promise.all([one.registry.changes.catchUp(), other.registry.changes.catchUp()]);
    expect([one.resets, other.resets]).toEqual([1, 1]);
  });

  it('begin anew as soon as making Redis usable again succeeds', async () => {
    let failures = 2;
    const wakes = new DeafWakes();
    const restore = async () => {
      if (failures-- > 0) throw new TandemError('STORE_UNAVAILABLE');
    };
    const one = await start('one', { restore, wakes });
    await server.cli('FLUSHALL');
    for (const resets of [0, 0, 1]) {
      await one.registry.changes.catchUp();
      expect(one.resets).toBe(resets);
    }
  });
});
