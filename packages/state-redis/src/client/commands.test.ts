import { silentLogger } from '@tandem/core';
import { type RedisServer, startRedis } from '../testing/redis-server';
import { Commands } from './commands';
import { closeClient, openClient } from './connections';

const TIMEOUT = 300;

describe('Commands to a Redis that hangs', () => {
  let redis: RedisServer;
  let client: ReturnType<typeof openClient>;
  let commands: Commands;

  beforeEach(async () => {
    redis = await startRedis();
    client = openClient({ address: redis.address, cluster: false, timeout: TIMEOUT }, silentLogger);
    commands = new Commands(client, client, { waitReplicas: 0, timeout: TIMEOUT, logger: silentLogger });
    await commands.during(() => client.ping());
  });
  afterEach(async () => {
    redis.resume();
    await closeClient(client);
    await redis.stop();
  });

  it('fail within the time-out, also those that wait behind others', async () => {
    redis.pause();
    const first = commands.during(() => client.get('a'));
    const begun = performance.now();
    // Comes while the first is on its way: auto-pipelining sends it when that has been answered.
    const second = new Promise((resolve) => setImmediate(resolve)).then(() => commands.during(() => client.get('b')));
    for (const { reason } of (await Promise.allSettled([first, second])) as PromiseRejectedResult[]) {
      expect(reason).toMatchObject({ code: 'STORE_UNAVAILABLE', retryAfter: expect.any(Number) });
    }
    expect(performance.now() - begun).toBeLessThan(TIMEOUT * 1.9);
    redis.resume();
    await expect(commands.during(() => client.get('a'))).resolves.toBeNull();
  });

  it('are waited for by close, and refused after it', async () => {
    const late = commands.during(() => client.set('a', '1'));
    await commands.close();
    await expect(late).resolves.toBe('OK');
    await expect(commands.during(() => client.get('a'))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });
});
