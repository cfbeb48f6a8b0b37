import { randomUUID } from 'node:crypto';
import { type Device, TandemError } from '@tandem/core';
import { aDevice, aProfile, credentialsOf } from '@tandem/core/testing';
import { closeClient } from '../client';
import { Keys } from '../keys';
import { openSubscriber } from '../testing/open-subscriber';
import { type RedisServer, startRedis } from '../testing/redis-server';
import { RegistryProcess } from './testing/registry-process';

const keys = new Keys('t');
const BIG = 1_234;

describe('The beginning and the end of a device', () => {
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

  const made = async (): Promise<Device> => {
    const profile = aProfile();
    const device = aDevice(profile);
    await one.devices.createProfile(profile);
    await one.devices.createDevice(device, credentialsOf(device));
    return device;
  };
  const log = async ({ id }: Device, field: string) => server.cli('HGET', keys.device(id, 'log'), field);
  const keysOf = async ({ id }: Device) => {
    const found = await server.cli('KEYS', keys.device(id, '*'));
    return found === '' ? [] : found.split('\n');
  };
  /** All that a device can have, and a lot of it. */
  const fill = async ({ id }: Device): Promise<string[]> => {
    const { client } = one.commands;
    const key = (what: string) => keys.device(id, what);
    for (const scope of ['c', 's', 'v']) await client.hset(key(`attr:${scope}`), 'a', '1');
    await client.xadd(key('events'), '*', 'a', '1');
    await client.hset(key('activity'), 'a', '1');
    const rpcs = Array.from({ length: BIG }, () => randomUUID());
    await Promise.all(
      rpcs.flatMap((rpc, n) => [
        client.zadd(key('rpcs'), n, rpc),
        client.zadd(key('rpcs-open'), n, rpc),
        client.zadd(key('rpcs-pending'), n, rpc),
        client.hset(key(`rpc:${rpc}`), 'status', 'QUEUED'),
        client.hset(keys.rpcs('devices'), rpc, `${id} call 1`),
        client.zadd(keys.rpcs('expiry'), n, rpc),
        client.hset(key('latest'), `series ${n}`, '1 1'),
        client.zadd(key(`history:series ${n}`), n, '1 1'),
      ]),
    );
    return rpcs;
  };
  /** The process dies between the registry and the slot of the device. */
  const deleteAndDie = async (device: Device) => {
    one.registry.devices.onSessionChange(() => void one.commands.close());
    expect(await one.devices.deleteDevice(device.id)).toEqual({ ok: true, value: device });
  };

  it('begins with a log of an epoch that no other life of it has', async () => {
    const device = await made();
    const first = await log(device, 'epoch');
    expect(first).toMatch(/^[0-9a-f]{12}$/);
    await one.devices.deleteDevice(device.id);
    await one.devices.createDevice(device, credentialsOf(device));
    expect(await log(device, 'epoch')).toMatch(/^[0-9a-f]{12}$/);
    expect(await log(device, 'epoch')).not.toBe(first);
    expect(await server.cli('PTTL', keys.device(device.id, 'log'))).toBe('-1');
  });

  it('says when its former life ended where it had one, also when the end was looked at again', async () => {
    const device = await made();
    expect(await log(device, 'born')).toBe('');
    const [seconds, micros] = (await server.cli('TIME')).split('\n').map(Number);
    await deleteAndDie(device);
    await other.registry.purge.finish(device.id);
    const ended = await log(device, 'ended');
    expect(Number(ended)).toBeGreaterThanOrEqual((seconds ?? 0) * 1000 + Math.floor((micros ?? 0) / 1000));
    const epoch = await log(device, 'gone');
    await other.registry.purge.run(device.id, epoch);
    await other.devices.createDevice(device, credentialsOf(device));
    expect(await log(device, 'born')).toBe(ended);
    expect(await log(device, 'ended')).toBe('');
  });

  it('has been created also when its log cannot be begun yet; whoever needs the log begins it', async () => {
    const profile = aProfile();
    const device = aDevice(profile);
    await one.devices.createProfile(profile);
    let sent = 0;
    one.commands.network = (send) => {
      sent++;
      return sent === 1 ? send() : Promise.reject(new TandemError('STORE_UNAVAILABLE'));
    };
    expect(await one.devices.createDevice(device, credentialsOf(device))).toEqual({ ok: true, value: device });
    expect(await keysOf(device)).toEqual([]);
    expect(await other.registry.births.ensure(device.id)).toBe(true);
    expect(await log(device, 'epoch')).toBe(await server.cli('HGET', keys.registry('epochs'), device.id));
    expect(await other.registry.births.ensure(device.id)).toBe(true);
  });

  it('has been created also when a key of another program is in the place of its log', async () => {
    const profile = aProfile();
    const device = aDevice(profile);
    await one.devices.createProfile(profile);
    await server.cli('SET', keys.device(device.id, 'log'), 'foreign');
    expect(await one.devices.createDevice(device, credentialsOf(device))).toEqual({ ok: true, value: device });
    expect(one.told).toContainEqual(['error', 'a device could not be begun yet', device.id]);
    expect(await other.devices.getDevice(device.id)).toEqual(device);
    await server.cli('DEL', keys.device(device.id, 'log'));
    expect(await other.registry.births.ensure(device.id)).toBe(true);
    expect(await log(device, 'epoch')).toBe(await server.cli('HGET', keys.registry('epochs'), device.id));
  });

  it('has been deleted also when a key of another program is in the place of its log; the rest is cleared away later', async () => {
    const device = await made();
    await fill(device);
    await server.cli('RENAME', keys.device(device.id, 'log'), keys.device(device.id, 'kept'));
    await server.cli('SET', keys.device(device.id, 'log'), 'foreign');
    expect(await one.devices.deleteDevice(device.id)).toEqual({ ok: true, value: device });
    expect(one.told).toContainEqual(['error', 'a device could not be cleared away yet', device.id]);
    expect(await other.devices.getDevice(device.id)).toBeUndefined();
    expect(await server.cli('GET', keys.device(device.id, 'log'))).toBe('foreign');
    expect(await server.cli('HKEYS', keys.registry('purges'))).toBe(device.id);
    await server.cli('RENAME', keys.device(device.id, 'kept'), keys.device(device.id, 'log'));
    await other.registry.purge.resume();
    expect(await keysOf(device)).toEqual([keys.device(device.id, 'log')]);
    expect(await server.cli('EXISTS', keys.registry('purges'))).toBe('0');
  });

  it('never begins for a device that is not there or not there any more', async () => {
    const device = await made();
    const epoch = await log(device, 'epoch');
    await one.devices.deleteDevice(device.id);
    for (const id of [device.id, randomUUID()]) expect(await one.registry.births.ensure(id)).toBe(false);
    expect(await one.registry.births.begin(device.id, epoch)).toBe(false);
    expect(await log(device, 'gone')).toBe(epoch);
    expect(await log(device, 'epoch')).toBe('');
  });

  it('leaves nothing of thousands of commands and series, here or where they are found without it', async () => {
    const [device, neighbour] = [await made(), await made()];
    await fill(device);
    const theirs = await fill(neighbour);
    const untouched = await keysOf(neighbour);
    await one.devices.deleteDevice(device.id);
    expect(await keysOf(device)).toEqual([keys.device(device.id, 'log')]);
    expect((await keysOf(neighbour)).sort()).toEqual(untouched.sort());
    expect((await server.cli('HKEYS', keys.rpcs('devices'))).split('\n').sort()).toEqual([...theirs].sort());
    expect(await server.cli('ZCARD', keys.rpcs('expiry'))).toBe(String(BIG));
    expect(await server.cli('EXISTS', keys.registry('purges'))).toBe('0');
    expect(one.woken).toEqual([device.id]);
  });

  it('tells the waiters of other processes when the commands are gone', async () => {
    const device = await made();
    const rpcs = await fill(device);
    const subscriber = openSubscriber(server);
    await subscriber.subscribe(keys.wakeChannel(device.id));
    const seen = new Promise<unknown>((resolve) => {
      subscriber.on('message', async (_, message) => {
        resolve([message, await server.cli('EXISTS', ...rpcs.map((rpc) => keys.device(device.id, `rpc:${rpc}`)))]);
      });
    });
    await one.devices.deleteDevice(device.id);
    expect(await seen).toEqual(['one rpc', '0']);
    await closeClient(subscriber);
  });

  it('is finished by another process where the one that deleted it dies over it', async () => {
    const device = await made();
    await fill(device);
    await deleteAndDie(device);
    expect(await other.devices.getDevice(device.id)).toBeUndefined();
    expect((await keysOf(device)).length).toBeGreaterThan(BIG);
    await other.registry.purge.resume();
    expect(await keysOf(device)).toEqual([keys.device(device.id, 'log')]);
    expect(await server.cli('HLEN', keys.rpcs('devices'))).toBe('0');
    expect(await server.cli('EXISTS', keys.registry('purges'))).toBe('0');
  });

  it('is finished at the start of a process and on a slow timer', async () => {
    const [device, second] = [await made(), await made()];
    const forgotten = (id: string) => server.cli('HSET', keys.registry('purges'), id, 'x');
    await deleteAndDie(device);
    const third = await RegistryProcess.start(server, keys, 'third', { purgeInterval: 10 });
    const waitFor = async (id: string) => {
      while (!third.woken.includes(id)) await new Promise((resolve) => setImmediate(resolve));
    };
    await waitFor(device.id);
    // A note of a life that is over already.
    await forgotten(second.id);
    await waitFor(second.id);
    await third.close();
    expect(await server.cli('EXISTS', keys.registry('purges'))).toBe('0');
    expect(await log(second, 'epoch')).toMatch(/^[0-9a-f]{12}$/);
  });

  it('comes before a new life with the same id', async () => {
    const device = await made();
    await fill(device);
    await deleteAndDie(device);
    expect(await other.devices.createDevice(device, credentialsOf(device))).toEqual({ ok: true, value: device });
    expect(await keysOf(device)).toEqual([keys.device(device.id, 'log')]);
    expect(await log(device, 'epoch')).toBe(await server.cli('HGET', keys.registry('epochs'), device.id));
  });

  it('does not touch a new life, however late a purge of the former one comes', async () => {
    const device = await made();
    const former = await log(device, 'epoch');
    await one.devices.deleteDevice(device.id);
    await one.devices.createDevice(device, credentialsOf(device));
    await fill(device);
    const before = await server.cli('DEBUG', 'DIGEST-VALUE', ...(await keysOf(device)));
    await other.registry.purge.run(device.id, former);
    expect(await server.cli('DEBUG', 'DIGEST-VALUE', ...(await keysOf(device)))).toBe(before);
  });

  it('stops at once where a new life began while it was held up', async () => {
    const device = await made();
    await deleteAndDie(device);
    let sent = 0;
    other.commands.network = async (send) => {
      if (++sent === 2) {
        await server.cli('DEL', keys.device(device.id, 'log'));
        await server.cli('HSET', keys.device(device.id, 'log'), 'epoch', 'next');
        await server.cli('HSET', keys.device(device.id, 'attr:c'), 'a', '1');
        await server.cli('ZADD', keys.device(device.id, 'rpcs'), '0', 'rpc');
      }
      return send();
    };
    await other.registry.purge.resume();
    expect((await keysOf(device)).sort()).toEqual(
      ['attr:c', 'log', 'rpcs'].map((what) => keys.device(device.id, what)),
    );
  });

  it('leaves keys of another program alone and says so, and one that cannot be finished does not keep the others', async () => {
    const [device, second] = [await made(), await made()];
    await server.cli('SET', keys.device(device.id, 'attr:c'), 'foreign');
    await one.devices.deleteDevice(device.id);
    expect(await server.cli('GET', keys.device(device.id, 'attr:c'))).toBe('foreign');
    expect(one.log.join()).toContain('another program');
    const stuck = randomUUID();
    await server.cli('SET', keys.device(stuck, 'log'), 'foreign');
    await server.cli('HSET', keys.registry('purges'), stuck, 'e');
    await deleteAndDie(second);
    await other.registry.purge.resume();
    expect(await server.cli('HKEYS', keys.registry('purges'))).toBe(stuck);
    expect(await server.cli('GET', keys.device(stuck, 'log'))).toBe('foreign');
  });
});
