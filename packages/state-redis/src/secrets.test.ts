import { describeSealedContract, describeSecretsAtRest, sealingBox } from '@tandem/core/testing';
import { Redis } from 'ioredis';
import { openRedisState } from './index';
import { Keys } from './keys';
import { type RedisServer, startRedis } from './testing/redis-server';
import { makeRedisStore, optionsFor } from './testing/redis-store';

let redis: RedisServer;
let client: Redis;
beforeAll(async () => {
  redis = await startRedis();
  client = new Redis(redis.url);
  // Else nothing would be found in what is dumped.
  await client.config('SET', 'rdbcompression', 'no');
});
afterAll(async () => {
  client.disconnect();
  await redis.stop();
});

describeSecretsAtRest('the Redis store', async () => {
  const { prefix } = optionsFor(redis.address);
  return {
    open: (secretBox) => openRedisState({ ...optionsFor(redis.address, { secretBox }), prefix }),
    async contents() {
      const found: Buffer[] = [];
      for await (const keys of client.scanStream({ match: `${prefix}:*` })) {
        for (const key of keys as string[]) found.push(Buffer.from(key), (await client.dumpBuffer(key)) ?? Buffer.of());
      }
      expect(found.length).toBeGreaterThan(10);
      return Buffer.concat(found);
    },
    async copyCredentials(from, to) {
      const table = new Keys(prefix).registry('credentials');
      await client.hset(table, to, (await client.hget(table, from)) ?? '');
    },
    destroy: async () => {},
  };
});

describe('Processes on one Redis', () => {
  it('with other keys than those before them are refused, whichever is first', async () => {
    const prefix = 'refused';
    const start = (box: ReturnType<typeof sealingBox> | undefined) =>
      openRedisState({ ...optionsFor(redis.address, { secretBox: box }), prefix });
    const [one, other] = await Promise.allSettled([start(sealingBox('1')), start(sealingBox('2'))]);
    const started = [one, other].flatMap((outcome) => (outcome?.status === 'fulfilled' ? outcome.value : []));
    expect(started).toHaveLength(1);
    await expect(start(undefined)).rejects.toMatchObject({ name: 'SecretKeyError' });
    for (const state of started) await state.close();
  });
});

describeSealedContract('the Redis store', (limits) => {
  return makeRedisStore(redis.address, { ...limits, secretBox: sealingBox() });
});
