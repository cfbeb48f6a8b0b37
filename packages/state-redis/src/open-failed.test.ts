import { openRedisState } from './state';
import { type RedisServer, startRedis } from './testing/redis-server';
import { optionsFor } from './testing/redis-store';

describe('A store that cannot be opened', () => {
  let redis: RedisServer;
  beforeEach(async () => {
    redis = await startRedis();
  });
  afterEach(() => redis.stop());

  const clients = async () => (await redis.cli('CLIENT', 'LIST')).trim().split('\n').length;
  const noneLeft = async () => {
    // Redis takes a moment to see that a connection has ended.
    while ((await clients()) > 1) await new Promise((resolve) => setTimeout(resolve, 10));
  };

  it('leaves nothing behind: no connection, no timer; and it is told why', async () => {
    const reasons: string[] = [];
    const onWaiting = (reason: string) => void reasons.push(reason);
    const given = { waitReplicas: 1, timeout: 1_500, onWaiting };
    const sockets = () => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
    const before = sockets();
    for (let attempt = 0; attempt < 3; attempt++) {
      await expect(openRedisState(optionsFor(redis.address, given))).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
      });
    }
    await noneLeft();
    expect(sockets()).toBeLessThanOrEqual(before);
    expect(reasons).toContain('Only 0 of 1 replicas have the write');
    // As `Patience` does it: when Redis is well the next attempt works.
    const state = await openRedisState(optionsFor(redis.address));
    await state.close();
    await noneLeft();
  });

  it('and begins to work has no memory of it: out of memory, then not', async () => {
    await redis.cli('CONFIG', 'SET', 'maxmemory', '1');
    await expect(openRedisState(optionsFor(redis.address, { timeout: 1_500 }))).rejects.toThrow('out of memory');
    await redis.cli('CONFIG', 'SET', 'maxmemory', '0');
    const state = await openRedisState(optionsFor(redis.address));
    await state.ping();
    await state.close();
    await noneLeft();
  });
});
