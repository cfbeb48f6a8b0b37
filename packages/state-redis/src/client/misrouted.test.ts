import { silentLogger } from '@tandem/core';
import { Cluster } from 'ioredis';
import { type RedisCluster, startRedisCluster } from '../testing/redis-cluster';
import { Commands } from './commands';
import { closeClient, openClient } from './connections';
import { loadScript } from './scripts';

const SET = loadScript('ping');
const TIMEOUT = 3_000;
const KEYS = Array.from({ length: 50 }, (_, n) => `key-${n}`);

describe('Slots of a Cluster that move while writes are on their way', () => {
  let redis: RedisCluster;
  beforeAll(async () => {
    redis = await startRedisCluster({ masters: 3, replicas: 1, appendonly: 'no' });
  });
  afterAll(() => redis.stop());

  const gateway = async (waitReplicas: number) => {
    const client = openClient({ address: redis.address, cluster: true, timeout: TIMEOUT }, silentLogger);
    if (!(client instanceof Cluster)) throw new Error('not a Cluster');
    const commands = new Commands(client, client, { waitReplicas, timeout: TIMEOUT, logger: silentLogger });
    await commands.run(SET, ['warm'], ['up', 1]);
    return { client, commands };
  };

  it.each([0, 1])('are no failure to anybody, with %i replicas waited for', async (waitReplicas) => {
    const { client, commands } = await gateway(waitReplicas);
    const write = (value: number) =>
      Promise.all(KEYS.map((key) => commands.write<number>(SET, [key], [`field-${waitReplicas}`, value])));
    const [somewhere] = client.slots;
    if (!somewhere) throw new Error('no slots');
    // As after a slot was moved: what is known of the slots is wrong, so that all keys seem to be of one node.
    client.slots.fill(somewhere);
    expect(new Set(await write(1))).toEqual(new Set([1]));
    for (const key of KEYS) {
      expect(await (await redis.masterOf(key)).cli('HGET', key, `field-${waitReplicas}`)).toBe('1');
    }
    await commands.close();
    await closeClient(client);
  });

  it('are followed where one slot is at another node and its neighbours are not', async () => {
    const { client, commands } = await gateway(1);
    const from = await redis.masterOf('moving');
    const owners = await Promise.all(KEYS.map((key) => redis.masterOf(key)));
    const target = owners.find((owner) => owner !== from);
    if (!target) throw new Error('all keys are of one node');
    const slot = await from.cli('CLUSTER', 'KEYSLOT', 'moving');
    const destination = await target.cli('CLUSTER', 'MYID');
    await target.cli('CLUSTER', 'SETSLOT', slot, 'NODE', destination);
    await from.cli('CLUSTER', 'SETSLOT', slot, 'NODE', destination);
    const writes = [...KEYS, 'moving'].map((key) => commands.write<number>(SET, [key], ['after', 1]));
    expect(new Set(await Promise.all(writes))).toEqual(new Set([1]));
    expect(await target.cli('HGET', 'moving', 'after')).toBe('1');
    await commands.close();
    await closeClient(client);
  });
});
