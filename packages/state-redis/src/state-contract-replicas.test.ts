import { describeStateContract } from '@tandem/core/testing';
import { type RedisCluster, startRedisCluster } from './testing/redis-cluster';
import { makeRedisStore } from './testing/redis-store';

let cluster: RedisCluster;

beforeAll(async () => {
  cluster = await startRedisCluster();
}, 60_000);
afterAll(() => cluster.stop());

describeStateContract('the Redis store whose writes wait for a replica', (limits) =>
  makeRedisStore(cluster.address, { ...limits, waitReplicas: 1 }),
);
