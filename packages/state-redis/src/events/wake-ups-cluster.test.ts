import { randomUUID } from 'node:crypto';
import { entriesOf } from '@tandem/core/testing';
import slotOf from 'cluster-key-slot';
import { type RedisCluster, startRedisCluster } from '../testing/redis-cluster';
import type { RedisServer } from '../testing/redis-server';
import { EventProcess, type Heard } from './testing/event-process';
import { until } from './testing/until';

const EVERYTHING = ['attributes', 'rpc', 'observer'];

describe('Waiters on a Cluster', () => {
  let cluster: RedisCluster;
  let one: EventProcess;
  let other: EventProcess;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  });
  afterAll(() => cluster.stop());
  beforeEach(async () => {
    one = await EventProcess.start(cluster.address, { cluster: true });
    other = await EventProcess.start(cluster.address, { cluster: true });
    await connected(one);
  });
  afterEach(() => Promise.all([one.close(), other.close()]));

  /** Resolves when it has a connection to every shard: whoever comes before is woken when that is there. */
  async function connected({ events, keys }: EventProcess): Promise<void> {
    const strangers = Array.from({ length: 30 }, () => randomUUID());
    for (const id of strangers) events.watch(id, () => {});
    const masters = new Set(await Promise.all(strangers.map((id) => cluster.masterOf(slotOf(keys.wakeChannel(id))))));
    expect(masters.size).toBe(3);
    await until(async () => {
      const channels = await Promise.all([...masters].map((master) => master.cli('PUBSUB', 'SHARDCHANNELS')));
      return strangers.every((id) => channels.some((text) => text.includes(id)));
    });
  }

  /** Devices in the slots of all masters, with a waiter each. */
  async function waiters(count: number): Promise<Map<string, Heard>> {
    const ids = await Promise.all(Array.from({ length: count }, () => other.device()));
    return new Map(await Promise.all(ids.map(async (id) => [id, await one.watch(id)] as const)));
  }

  /** Tries again while there is no master. */
  async function save(id: string): Promise<void> {
    await until(async () => {
      try {
        return await other.attributes.save(id, 'SHARED', entriesOf({ a: '1' }), 1);
      } catch (error) {
        expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' });
        return false;
      }
    });
  }

  async function servedBy(master: RedisServer, ids: Iterable<string>): Promise<string[]> {
    const served: string[] = [];
    for (const id of ids) {
      if ((await cluster.masterOf(slotOf(one.keys.wakeChannel(id)))) === master) served.push(id);
    }
    return served;
  }

  it('hear of changes of the devices of every shard', async () => {
    const heard = await waiters(60);
    await Promise.all([...heard.keys()].map(save));
    for (const waiter of heard.values()) expect(await waiter.times(1)).toEqual(['attributes']);
  });

  it('are woken when the connection to their shard was lost, and those of other shards are left alone', async () => {
    const heard = await waiters(60);
    const master = await cluster.masterOf(0);
    const theirs = new Set(await servedBy(master, heard.keys()));
    expect(theirs.size).toBeGreaterThan(0);
    await master.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
    for (const id of theirs) expect(await heard.get(id)?.times(3)).toEqual(EVERYTHING);
    for (const [id, waiter] of heard) {
      await save(id);
      const before = theirs.has(id) ? EVERYTHING : [];
      expect(await waiter.times(before.length + 1)).toEqual([...before, 'attributes']);
    }
  });

  it('are woken by the next change when a master died and its replica took over', async () => {
    const heard = await waiters(60);
    const master = await cluster.masterOf(0);
    const theirs = await servedBy(master, heard.keys());
    expect(theirs.length).toBeGreaterThan(0);
    const head = await one.events.head(theirs[0] ?? '');
    await master.kill9();
    await Promise.all(theirs.map(save));
    const failedOver = Date.now();
    for (const id of theirs) expect((await heard.get(id)?.times(3))?.slice(0, 3)).toContain('attributes');
    expect(Date.now() - failedOver).toBeLessThan(5_000);
    expect((await one.events.read(theirs[0] ?? '', head, 10)).kind).toBe('gap');
    // By now they hear again: one message, one wake-up.
    await until(() => theirs.every((id) => (heard.get(id)?.wakes.length ?? 0) >= 3));
    for (const id of theirs) {
      const waiter = heard.get(id);
      const before = waiter?.wakes.length ?? 0;
      await save(id);
      expect((await waiter?.times(before + 1))?.slice(before)).toEqual(['attributes']);
    }
    await master.restart();
    await cluster.healthy();
  });

  it('keep hearing when a master hands over to its replica in good order', async () => {
    const heard = await waiters(30);
    const master = await cluster.masterOf(0);
    const theirs = await servedBy(master, heard.keys());
    const [replica] = await cluster.replicasOf(master);
    await replica?.cli('CLUSTER', 'FAILOVER');
    await until(async () => (await cluster.masterOf(0)) === replica);
    await until(() => theirs.every((id) => (heard.get(id)?.wakes.length ?? 0) >= 3));
    for (const id of theirs) {
      const waiter = heard.get(id);
      const before = waiter?.wakes.length ?? 0;
      await save(id);
      await waiter?.times(before + 1);
    }
  });

  it('keep hearing when the slot of a device moves to another master, and back', async () => {
    const [[id = '', waiter]] = [...(await waiters(1))] as [[string, Heard]];
    const slot = slotOf(one.keys.wakeChannel(id));
    const home = await cluster.masterOf(slot);
    const away = await cluster.masterOf((slot + 8_192) % 16_384);
    expect(away).not.toBe(home);
    for (const [from, to] of [
      [home, away],
      [away, home],
    ] as const) {
      const before = waiter.wakes.length;
      await moveSlot(cluster, slot, from, to);
      await waiter.times(before + 3);
      const known = waiter.wakes.length;
      await save(id);
      expect((await waiter.times(known + 1))[known]).toBe('attributes');
    }
    expect(one.metric('tandem_wake_subscriptions')).toBe(31);
  });

  it('keep hearing when a master let go of the slot of a device and took it back before anybody looked', async () => {
    const [[id = '', waiter]] = [...(await waiters(1))] as [[string, Heard]];
    const slot = slotOf(one.keys.wakeChannel(id));
    const home = await cluster.masterOf(slot);
    await home.cli('CLUSTER', 'DELSLOTS', `${slot}`);
    await home.cli('CLUSTER', 'ADDSLOTS', `${slot}`);
    expect((await waiter.times(3)).slice(0, 3)).toEqual(EVERYTHING);
    await cluster.healthy();
    const before = waiter.wakes.length;
    await save(id);
    expect((await waiter.times(before + 1))[before]).toBe('attributes');
  });
});

async function moveSlot({ nodes }: RedisCluster, slot: number, from: RedisServer, to: RedisServer): Promise<void> {
  const [source, target] = [await from.cli('CLUSTER', 'MYID'), await to.cli('CLUSTER', 'MYID')];
  await to.cli('CLUSTER', 'SETSLOT', `${slot}`, 'IMPORTING', source);
  await from.cli('CLUSTER', 'SETSLOT', `${slot}`, 'MIGRATING', target);
  const keys = (await from.cli('CLUSTER', 'GETKEYSINSLOT', `${slot}`, '100')).split('\n').filter((key) => key !== '');
  await from.cli('MIGRATE', '127.0.0.1', `${to.port}`, '', '0', '5000', 'KEYS', ...keys);
  for (const node of [to, from, ...nodes]) {
    await node.cli('CLUSTER', 'SETSLOT', `${slot}`, 'NODE', target).catch((error: Error) => {
      // Replicas learn it from their masters.
      if (!error.message.includes('only with masters')) throw error;
    });
  }
}
