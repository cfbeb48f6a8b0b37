import { describeStateContract, describeWritesContract } from '@tandem/core/testing';
import { type RedisCluster, startRedisCluster } from './testing/redis-cluster';
import { makeRedisStore } from './testing/redis-store';

let cluster: RedisCluster;

beforeAll(async () => {
  cluster = await startRedisCluster();
}, 60_000);
afterAll(() => cluster.stop());

describeStateContract('the Redis store on a Cluster of three masters, whose writes wait for a replica', (limits) =>
  makeRedisStore(cluster.address, { ...limits, waitReplicas: 1 }),
);

// Reads take the same way as above.
describeWritesContract('the Redis store on a Cluster, whose writes wait for no replica', (limits) =>
  makeRedisStore(cluster.address, limits),
);
