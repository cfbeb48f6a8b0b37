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

  it('that was emptied need the keys of the processes that run on it', async () => {
    const keys = new Keys('emptied');
    const process = await start(keys, 'one', 'b');
    await client.del(keys.registry('meta'));
    await process.until(() => process.resets > 0);
    await expect(start(keys, 'other', 'c')).rejects.toMatchObject({ name: 'SecretKeyError' });
    await start(keys, 'third', 'b');
  });
});
