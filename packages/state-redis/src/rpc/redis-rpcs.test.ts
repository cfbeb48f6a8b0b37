import type { Device, Rpc } from '@tandem/core';
import { aCommand, aDevice, aProfile, CREATED } from '@tandem/core/testing';
import { closeClient } from '../client';
import { openSubscriber } from '../testing/open-subscriber';
import { rpcKeys } from './rpc-keys';
import { type ProcessOptions, RpcRedis } from './testing/rpcs-under-test';

const LAPSED = CREATED + 60_001;
const ANSWERABLE = ['QUEUED', 'SENT', 'DELIVERED', 'TIMEOUT'] as const;

let redis: RpcRedis;
beforeAll(async () => {
  redis = await RpcRedis.start();
});
afterEach(() => redis.clear());
afterAll(() => redis.stop());

/** Two processes and a device. */
async function two(options?: ProcessOptions) {
  const [one, other] = [redis.process(options), redis.process(options)];
  return { one, other, device: await redis.device() };
}

const cli = (...args: string[]) => redis.server.cli(...args);

describe('Two processes with one device', () => {
  it('give each command a request id of its own, without gaps', async () => {
    const { one, other, device } = await two();
    const made = await Promise.all(
      Array.from({ length: 100 }, (_, n) => (n % 2 ? one : other).rpcs.create(aCommand(device))),
    );
    const ids = made.map((rpc) => rpc?.requestId ?? -1).sort((a, b) => a - b);
    expect(ids).toEqual(ids.map((_, n) => n));
    const open = await one.rpcs.open(device.id, CREATED);
    expect(open.map(({ requestId }) => requestId)).toEqual(ids);
    expect(await other.rpcs.open(device.id, CREATED)).toEqual(open);
  });

  it('refuse together what is beyond the limit', async () => {
    const { one, other, device } = await two({ maxPending: 10 });
    const made = await Promise.all(
      Array.from({ length: 40 }, (_, n) => (n % 2 ? one : other).rpcs.create(aCommand(device))),
    );
    expect(made.filter(Boolean)).toHaveLength(10);
    expect(await one.rpcs.nextRequestId(device.id)).toBe(10);
    expect(Number(await cli('HLEN', redis.keys.rpcs('devices')))).toBe(10);
    expect(Number(await cli('ZCARD', redis.keys.rpcs('expiry')))).toBe(10);
  });

  it('let the first of two answers win', async () => {
    const { one, other, device } = await two();
    for (let n = 0; n < 20; n++) {
      const command = await one.rpcs.create(aCommand(device));
      const answers = await Promise.all(
        [one, other].map(({ rpcs, name }) =>
          rpcs.transition(command?.id ?? '', ANSWERABLE, { status: 'SUCCESSFUL', response: name }),
        ),
      );
      const won = answers.filter((rpc): rpc is Rpc => rpc !== undefined);
      expect(won).toHaveLength(1);
      expect(await other.rpcs.get(command?.id ?? '')).toEqual(won[0]);
    }
  });

  it('do not hand out the same command: only one holds it, until its time is over', async () => {
    const { one, other, device } = await two();
    for (let n = 0; n < 20; n++) {
      const { id } = (await one.rpcs.create(aCommand(device))) ?? { id: '' };
      const held = await Promise.all([one, other].map(({ rpcs }) => rpcs.hold(id, 1_000, 2_000)));
      expect(held.sort()).toEqual([false, true]);
      expect(await other.rpcs.hold(id, 1_999, 3_000)).toBe(false);
      expect(await other.rpcs.hold(id, 2_000, 3_000)).toBe(true);
      expect(await one.rpcs.hold(id, 2_000, 3_000)).toBe(false);
    }
  });

  it('tell each other what happens to its commands, and not that one is held', async () => {
    const { one, other, device } = await two();
    const channel = redis.keys.wakeChannel(device.id);
    const address = redis.server.address;
    const subscriber = openSubscriber({ address });
    const heard: string[] = [];
    const all = new Promise<void>((resolve) => {
      subscriber.on('message', (_channel: string, message: string) => heard.push(message) === 3 && resolve());
    });
    await subscriber.subscribe(channel);
    const { id } = (await one.rpcs.create(aCommand(device))) ?? { id: '' };
    await one.rpcs.hold(id, 1, 2);
    await one.rpcs.transition(id, ['SENT'], { status: 'DELIVERED' });
    await other.rpcs.transition(id, ['QUEUED'], { status: 'SENT' });
    await one.rpcs.remove(id);
    await all;
    expect(heard).toEqual([`${one.name} rpc`, `${other.name} rpc`, `${one.name} rpc`]);
    await closeClient(subscriber);
  });

  it('read only when they hear of what changes afterwards', async () => {
    const { one, other, device } = await two();
    let release = () => {};
    one.wakeUps.ready = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    const open = one.rpcs.open(device.id, CREATED);
    const command = await other.rpcs.create(aCommand(device));
    release();
    expect(await open).toEqual([command]);
    const next = one.rpcs.nextRequestId(device.id);
    await other.rpcs.create(aCommand(device));
    release();
    expect(await next).toBe(2);
    const got = one.rpcs.get(command?.id ?? '');
    const sent = await other.rpcs.transition(command?.id ?? '', ['QUEUED'], { status: 'SENT' });
    release();
    expect(await got).toEqual(sent);
  });

  it('look where nobody knows what became of a write', async () => {
    const { one, other, device } = await two({ timeout: 1_500 });
    const { id } = (await one.rpcs.create(aCommand(device))) ?? { id: '' };
    const wakes: string[] = [];
    one.wakeUps.watch(device.id, (wake) => wakes.push(wake));
    redis.server.pause();
    const writes = [one.rpcs.transition(id, ['QUEUED'], { status: 'SENT' }), one.rpcs.remove(id)];
    try {
      for (const write of writes) await expect(write).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    } finally {
      redis.server.resume();
    }
    expect(wakes).toEqual(['rpc', 'rpc']);
    expect(await other.rpcs.open(device.id, CREATED)).toEqual([]);
  });

  it('find a command again that one of them knew of another device', async () => {
    const { one, other, device } = await two();
    const command = aCommand(device);
    await one.rpcs.create(command);
    await other.rpcs.remove(command.id);
    const neighbour = await redis.device();
    const again = await other.rpcs.create({ ...command, deviceId: neighbour.id });
    expect(await one.rpcs.get(command.id)).toEqual(again);
    expect(await one.rpcs.hold(command.id, 1, 2)).toBe(true);
    expect(await one.rpcs.remove(command.id)).toBe(true);
    expect(await other.rpcs.get(command.id)).toBeUndefined();
  });
});

describe('A process that died', () => {
  /** A registration without a command, as one leaves that dies between the two steps of a creation. */
  async function registered(device: Device) {
    const { one, other } = await two({ maxPending: 1 });
    const command = aCommand(device);
    const made = one.rpcs.create(command);
    const { log } = rpcKeys(redis.keys, device.id);
    await made;
    await redis.end(device.id);
    await cli('HSET', log, 'epoch', 'e');
    return { command, one, other };
  }
  const registrations = async () => Number(await cli('HLEN', redis.keys.rpcs('devices')));

  it('before it made the command leaves nothing that anybody is given', async () => {
    const { command, other } = await registered(await redis.device());
    expect(await other.rpcs.get(command.id)).toBeUndefined();
    expect(await other.rpcs.hold(command.id, 1, 2)).toBe(false);
    expect(await other.rpcs.remove(command.id)).toBe(false);
    expect(await other.rpcs.transition(command.id, ['QUEUED'], { status: 'SENT' })).toBeUndefined();
    expect(await other.rpcs.expired(LAPSED, 10)).toEqual([]);
    expect(await registrations()).toBe(1);
  });

  it('does not stand in the way of the same command made again', async () => {
    const { command, other } = await registered(await redis.device());
    const made = await other.rpcs.create(command);
    expect(made).toMatchObject({ id: command.id, status: 'QUEUED' });
    expect(await other.rpcs.expired(LAPSED, 10)).toEqual([made]);
    expect(await other.rpcs.remove(command.id)).toBe(true);
    expect(await registrations()).toBe(0);
  });

  it('keeps the id from other devices no longer than its creation could have been on its way', async () => {
    const { command, other } = await registered(await redis.device());
    const successor = { ...command, deviceId: (await redis.device()).id };
    expect(await other.rpcs.create(successor)).toBeUndefined();
    await redis.age(command.id, 61_000);
    const made = await other.rpcs.create(successor);
    expect(made).toMatchObject({ deviceId: successor.deviceId });
    expect(await other.rpcs.get(command.id)).toEqual(made);
  });

  it.each(['get', 'remove', 'expired'] as const)('is cleared away by %s, once it is certain', async (how) => {
    const { command, other } = await registered(await redis.device());
    await redis.age(command.id, 61_000);
    if (how === 'expired') expect(await other.rpcs.expired(LAPSED, 10)).toEqual([]);
    else await other.rpcs[how](command.id);
    expect(await registrations()).toBe(0);
    expect(Number(await cli('ZCARD', redis.keys.rpcs('expiry')))).toBe(0);
  });

  it('before it said that a persistent command is final leaves that to `expired`', async () => {
    const { one, device } = await two();
    const { id } = (await one.rpcs.create(aCommand(device, { persistent: true }))) ?? { id: '' };
    await one.rpcs.transition(id, ['QUEUED'], { status: 'SUCCESSFUL' });
    const expiry = redis.keys.rpcs('expiry');
    expect(await cli('ZCARD', expiry)).toBe('0');
    await cli('ZADD', expiry, '1', id);
    expect(await one.rpcs.expired(LAPSED, 10)).toEqual([]);
    expect(await cli('ZCARD', expiry)).toBe('0');
    expect(await one.rpcs.get(id)).toMatchObject({ status: 'SUCCESSFUL' });
  });

  it('holds up nobody who looks for what has lapsed behind what it left', async () => {
    const { other } = await registered(await redis.device());
    const made: (Rpc | undefined)[] = [];
    for (let n = 0; n < 3; n++) {
      made.push(await other.rpcs.create(aCommand(await redis.device(), { expirationTime: LAPSED + n })));
    }
    expect(await other.rpcs.expired(LAPSED + 10, 2)).toEqual(made.slice(0, 2));
  });

  it('before it forgot a final command that it removed leaves nothing that stays for ever', async () => {
    const { one, device } = await two();
    const make = async () => (await one.rpcs.create(aCommand(device, { persistent: true })))?.id ?? '';
    const [gone, young, stays] = [await make(), await make(), await make()];
    for (const id of [gone, young, stays]) await one.rpcs.transition(id, ['QUEUED'], { status: 'SUCCESSFUL' });
    for (const id of [gone, stays]) await redis.age(id, 61_000);
    for (const id of [gone, young]) await cli('DEL', rpcKeys(redis.keys, device.id).hash(id));
    const registered = async () => (await cli('HKEYS', redis.keys.rpcs('devices'))).split('\n').sort();
    expect(await one.rpcs.expired(LAPSED, 10)).toEqual([]);
    expect(await registered()).toEqual([young, stays].sort());
    await redis.age(young, 61_000);
    await one.rpcs.expired(LAPSED + 59_999, 10);
    expect(await registered()).toHaveLength(2);
    await one.rpcs.expired(LAPSED + 60_000, 10);
    expect(await registered()).toEqual([stays]);
  });

  it('before the device had its slot: the next creation makes up for it', async () => {
    const one = redis.process();
    const device = aDevice(aProfile());
    expect(await one.rpcs.create(aCommand(device))).toBeUndefined();
    expect(await redis.names()).toEqual([]);
    one.unborn.add(device.id);
    expect(await one.rpcs.create(aCommand(device))).toMatchObject({ requestId: 0 });
  });
});

describe('In Redis', () => {
  it('a removed command leaves nothing behind but the count', async () => {
    const { one, device } = await two();
    const { id } = (await one.rpcs.create(aCommand(device))) ?? { id: '' };
    expect(await redis.names()).toHaveLength(7);
    await one.rpcs.remove(id);
    expect(await redis.names()).toEqual([rpcKeys(redis.keys, device.id).log]);
  });

  it('the lists of open commands do not keep what has lapsed', async () => {
    const { one, device } = await two();
    for (let n = 1; n <= 5; n++) {
      const { id } = (await one.rpcs.create(aCommand(device, { oneway: true, expirationTime: CREATED + n }))) ?? {};
      if (n % 2) await one.rpcs.transition(id ?? '', ['QUEUED'], { status: 'DELIVERED' });
    }
    await one.rpcs.create(aCommand(device, { createdTime: CREATED + 60_005, expirationTime: CREATED + 70_000 }));
    const { open, pending } = rpcKeys(redis.keys, device.id);
    expect([await cli('ZCARD', open), await cli('ZCARD', pending)]).toEqual(['1', '1']);
  });

  it('the lists of open commands keep what has lapsed only for a process whose clock is ahead', async () => {
    const { one, other, device } = await two({ maxPending: 2 });
    const command = await one.rpcs.create(aCommand(device, { expirationTime: CREATED + 10_000 }));
    await other.rpcs.create(aCommand(device, { createdTime: CREATED + 15_000, expirationTime: CREATED + 25_000 }));
    expect((await one.rpcs.open(device.id, CREATED))[0]).toEqual(command);
    expect(await one.rpcs.create(aCommand(device))).toBeUndefined();
  });

  it('request ids begin again after 2^31 - 1', async () => {
    const { one, device } = await two();
    await cli('HSET', rpcKeys(redis.keys, device.id).log, 'rpc-counter', String(2 ** 31 - 1));
    const last = await one.rpcs.create(aCommand(device));
    expect(last?.requestId).toBe(2 ** 31 - 1);
    expect(await one.rpcs.findByRequestId(device.id, 2 ** 31 - 1)).toEqual(last);
    expect(await one.rpcs.nextRequestId(device.id)).toBe(0);
    expect((await one.rpcs.create(aCommand(device)))?.requestId).toBe(0);
  });

  it('an empty response is not the same as none, and can be taken back', async () => {
    const { one, device } = await two();
    const { id } = (await one.rpcs.create(aCommand(device))) ?? { id: '' };
    await one.rpcs.transition(id, ['QUEUED'], { status: 'SENT', response: '' });
    expect((await one.rpcs.get(id))?.response).toBe('');
    await one.rpcs.transition(id, ['SENT'], { status: 'SENT', response: null });
    expect((await one.rpcs.get(id))?.response).toBeNull();
  });

  it('lists of thousands of commands are whole', async () => {
    const { one, device } = await two({ maxPending: 5_000 });
    await Promise.all(Array.from({ length: 1_203 }, () => one.rpcs.create(aCommand(device, { persistent: true }))));
    const { data, totalElements } = await one.rpcs.list(device.id, { page: 0, pageSize: 2_000 });
    expect(totalElements).toBe(1_203);
    expect(new Set(data.map(({ requestId }) => requestId)).size).toBe(1_203);
  });

  it('without memory nothing is created, and what is there can be removed', async () => {
    const { one, device } = await two();
    const { id } = (await one.rpcs.create(aCommand(device))) ?? { id: '' };
    await cli('CONFIG', 'SET', 'maxmemory', '1');
    try {
      await expect(one.rpcs.create(aCommand(device))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      await expect(one.rpcs.hold(id, 1, 2)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      const answer = { status: 'SUCCESSFUL', response: '1' } as const;
      await expect(one.rpcs.transition(id, ['QUEUED'], answer)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      expect(await one.rpcs.transition(id, ['QUEUED'], { status: 'DELIVERED' })).toMatchObject({ status: 'DELIVERED' });
      expect(await one.rpcs.transition(id, ['DELIVERED'], { status: 'EXPIRED' })).toMatchObject({ status: 'EXPIRED' });
      expect(await one.rpcs.remove(id)).toBe(true);
      expect(await one.rpcs.expired(LAPSED, 10)).toEqual([]);
    } finally {
      await cli('CONFIG', 'SET', 'maxmemory', '0');
    }
  });
});

describe('A page of persistent commands', () => {
  it('costs the reading of itself alone, also deep in many', async () => {
    const { one, device } = await two();
    const command = (n: number) => aCommand(device, { persistent: true, createdTime: CREATED + n });
    for (let n = 0; n < 30; n++) await one.rpcs.create(command(n));
    const before = await hashesRead();
    const { data } = await one.rpcs.list(device.id, { page: 4, pageSize: 5 });
    expect(data.map(({ createdTime }) => createdTime - CREATED)).toEqual([9, 8, 7, 6, 5]);
    expect((await hashesRead()) - before).toBe(5);
  });

  async function hashesRead(): Promise<number> {
    return Number(/cmdstat_hmget:calls=(\d+)/.exec(await cli('INFO', 'commandstats'))?.[1]);
  }
});

describe('Keys of another program in the place of ours', () => {
  const PLACES = ['log', 'hash', 'all', 'open', 'pending', 'kept'] as const;

  it.each(PLACES)('are left alone: %s', async (place) => {
    const { one, device } = await two();
    const command = aCommand(device);
    await one.rpcs.create(command);
    const keys = rpcKeys(redis.keys, device.id);
    const inPlace = (id: string) => (place === 'hash' ? keys.hash(id) : keys[place]);
    const next = aCommand(device);
    for (const id of [command.id, next.id]) await cli('SET', inPlace(id), 'theirs');
    const digest = async () => (await cli('DEBUG', 'DIGEST-VALUE', ...(await slot()))).split('\n').sort();
    const slot = async () => (await redis.names()).filter((name) => name.includes(device.id));
    const before = await digest();

    const refused = { code: 'INTERNAL', message: expect.stringContaining('The store holds something else there') };
    await expect(one.rpcs.create(next)).rejects.toMatchObject(refused);
    await expect(one.rpcs.remove(command.id)).rejects.toMatchObject(refused);
    if (!['log', 'all', 'kept'].includes(place)) {
      const sending = one.rpcs.transition(command.id, ['QUEUED'], { status: 'SENT' });
      await expect(sending).rejects.toMatchObject(refused);
    }
    expect(await digest()).toEqual(before);
  });

  it.each(['devices', 'expiry'])('are left alone: registrations, %s', async (place) => {
    const { one, device } = await two();
    await cli('SET', redis.keys.rpcs(place), 'theirs');
    const before = await cli('DEBUG', 'DIGEST');
    await expect(one.rpcs.create(aCommand(device))).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(await cli('DEBUG', 'DIGEST')).toBe(before);
  });

  it('are left alone also where they are hashes', async () => {
    const { one, device } = await two();
    const command = aCommand(device);
    const key = rpcKeys(redis.keys, device.id).hash(command.id);
    await cli('HSET', key, 'theirs', '1');
    await expect(one.rpcs.create(command)).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(await one.rpcs.transition(command.id, ['QUEUED'], { status: 'SENT' })).toBeUndefined();
    expect(await cli('HGETALL', key)).toBe('theirs\n1');
  });
});
