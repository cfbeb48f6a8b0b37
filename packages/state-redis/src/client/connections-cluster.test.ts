import { once } from 'node:events';
import { silentLogger } from '@tandem/core';
import { Cluster } from 'ioredis';
import { type RedisCluster, startRedisCluster } from '../testing/redis-cluster';
import { closeClient, openClient } from './connections';

let redis: RedisCluster;
beforeAll(async () => {
  redis = await startRedisCluster({ masters: 2, replicas: 0 });
}, 60_000);
afterAll(() => redis.stop());
afterEach(() => jest.restoreAllMocks());

it('A client that is closed while it looks which node serves what looks no more', async () => {
  const look = Cluster.prototype.refreshSlotsCache;
  const looks = jest.spyOn(Cluster.prototype, 'refreshSlotsCache');
  const client = openClient({ address: redis.address, cluster: true, timeout: 3_000 }, silentLogger);
  if (!(client instanceof Cluster)) throw new Error('not a Cluster');
  client.options.slotsRefreshInterval = 1;
  await once(client, 'ready');
  await new Promise<void>((resolve) => {
    looks.mockImplementationOnce(function (this: Cluster, done) {
      look.call(this, done);
      resolve();
    });
  });
  await closeClient(client);
  looks.mockClear();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(looks).not.toHaveBeenCalled();
  expect(Reflect.get(client, 'slotsTimer')).toMatchObject({ _destroyed: true });
});
