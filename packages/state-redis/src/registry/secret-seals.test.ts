import { aDevice, aProfile, credentialsOf, sealingBox } from '@tandem/core/testing';
import { Redis } from 'ioredis';
import { Keys } from '../keys';
import { type RedisServer, startRedis } from '../testing/redis-server';
import { RegistryProcess } from './testing/registry-process';

const DEVICES = 250;

describe('Secrets of a Redis', () => {
  let server: RedisServer;
  let client: Redis;
  let open: RegistryProcess[];
  beforeAll(async () => {
    server = await startRedis();
    client = new Redis(server.url);
  });
  beforeEach(() => {
    open = [];
  });
  afterEach(() => Promise.all(open.map((process) => process.close())));
  afterAll(async () => {
    client.disconnect();
    await server.stop();
  });

  async function start(keys: Keys, name: string, ...digits: string[]): Promise<RegistryProcess> {
    const secretBox = digits.length > 0 ? sealingBox(...digits) : undefined;
    const process = await RegistryProcess.start(server, keys, name, { secretBox, changesInterval: 50 });
    open.push(process);
    return process;
  }

  it('that others change while all are sealed are sealed all the same, with what the others made of them', async () => {
    const keys = new Keys('moving');
    const before = await start(keys, 'before');
    const profile = aProfile();
    await before.devices.createProfile(profile);
    const devices = Array.from({ length: DEVICES }, () => aDevice(profile));
    await Promise.all(devices.map((device) => before.devices.createDevice(device, credentialsOf(device))));
    const [one, other] = [await start(keys, 'one', 'b'), await start(keys, 'other', 'b')];
    let changed = 0;
    one.commands.network = async (send) => {
      // What the commit rests on is another thing when it arrives.
      const device = devices[changed * 90];
      const stored = device && changed < 2 ? await other.devices.getCredentials(device.id) : undefined;
      if (stored) {
        changed++;
        await other.devices.updateCredentials({ ...stored, credentialsId: `changed ${changed}` });
      }
      return send();
    };
    // Those that the other one changed it has sealed itself; the profile's data are one more.
    expect(await one.registry.sealSecrets()).toBe(DEVICES - 2 + 1);
    expect(changed).toBe(2);
    const texts = await client.hvals(keys.registry('credentials'));
    expect(texts.filter((text) => !text.startsWith('sealed1.'))).toEqual([]);
    expect((await one.devices.resolveCredentials('changed 1'))?.device.id).toBe(devices[0]?.id);
    expect((await one.devices.resolveCredentials('changed 2'))?.device.id).toBe(devices[90]?.id);
  });

  async function created(process: RegistryProcess) {
    const profile = aProfile();
    const device = aDevice(profile);
    expect(await process.devices.createProfile(profile)).toMatchObject({ ok: true });
    expect(await process.devices.createDevice(device, credentialsOf(device))).toMatchObject({ ok: true });
    const renew = async (by: RegistryProcess, credentialsId: string) => {
      const stored = await process.devices.getCredentials(device.id);
      if (!stored) throw new Error('the credentials are gone');
      return by.devices.updateCredentials({ ...stored, credentialsId });
    };
    return { device, renew };
  }
  const REFUSED = { code: 'STORE_UNAVAILABLE', message: 'The store cannot serve this' };

  it('are written no more by a process that seals with a key which all are sealed away from, so that none is lost', async () => {
    const keys = new Keys('retired');
    const running = await start(keys, 'running', 'a');
    const { device } = await created(running);
    const sealing = await start(keys, 'sealing', 'b', 'a');
    let during: unknown;
    sealing.commands.network = async (send) => {
      // In the middle of the pass, when some rows have been looked at.
      during ??= await created(running).catch((error: unknown) => error);
      return send();
    };
    await sealing.registry.sealSecrets();
    expect(sealing.log).toContainEqual(expect.stringContaining('until they are restarted'));
    expect(during).toMatchObject({ device: expect.anything() });
    await expect(created(running)).rejects.toMatchObject(REFUSED);
    await expect(running.registry.secret('another')).rejects.toMatchObject(REFUSED);
    expect(running.log).toContainEqual(expect.stringContaining('restart it with that key first'));
    const afterwards = await start(keys, 'afterwards', 'b');
    for (const id of [device.id, (during as { device: { id: string } }).device.id]) {
      expect(await afterwards.devices.getCredentials(id)).toMatchObject({ deviceId: id });
    }
  });

  it('are not written by an old key behind the pass: what was decided before it is refused when it arrives', async () => {
    const keys = new Keys('behind');
    const running = await start(keys, 'running', 'a');
    const { renew } = await created(running);
    const sealing = await start(keys, 'sealing', 'b', 'a');
    running.commands.network = async (send) => {
      running.commands.network = (again) => again();
      await sealing.registry.sealSecrets();
      return send();
    };
    await expect(renew(running, 'by the old key')).rejects.toMatchObject(REFUSED);
  });

  it('are not written in clear any more once somebody seals, and all are sealed when the pass says so', async () => {
    const keys = new Keys('clear');
    const running = await start(keys, 'running');
    const { device, renew } = await created(running);
    const sealing = await start(keys, 'sealing', 'b');
    await expect(renew(running, 'in clear')).rejects.toMatchObject(REFUSED);
    await sealing.registry.sealSecrets();
    await expect(renew(running, 'in clear')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(await client.hget(keys.registry('credentials'), device.id)).toMatch(/^sealed1\./);
  });

  it('keep the proof of a newer key that came in front while they were sealed, and the pass says that it has to be made again', async () => {
    const keys = new Keys('newer');
    const before = await start(keys, 'before', 'a');
    await created(before);
    const sealing = await start(keys, 'sealing', 'b', 'a');
    let newer: RegistryProcess | undefined;
    sealing.commands.network = async (send) => {
      const answer = await send();
      newer ??= await start(keys, 'newer', 'c', 'b', 'a');
      return answer;
    };
    await expect(sealing.registry.sealSecrets()).rejects.toThrow(
      'A process began to encrypt with another key meanwhile',
    );
    if (!newer) throw new Error('nothing was sent');
    await created(newer);
    await expect(start(keys, 'without', 'b', 'a')).rejects.toMatchObject({ name: 'SecretKeyError' });
    await newer.registry.sealSecrets();
    await start(keys, 'with', 'c');
  });

  it('that was emptied need the keys of the processes that run on it', async () => {
    const keys = new Keys('emptied');
    const process = await start(keys, 'one', 'b');
    await client.del(keys.registry('meta'));
    await process.until(() => process.resets > 0);
    await expect(start(keys, 'other', 'c')).rejects.toMatchObject({ name: 'SecretKeyError' });
    await start(keys, 'third', 'b');
  });
});
