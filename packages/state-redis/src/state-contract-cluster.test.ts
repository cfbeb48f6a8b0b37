import { describeStateContract } from '@tandem/core/testing';
import { type RedisCluster, startRedisCluster } from './testing/redis-cluster';
import { makeRedisStore } from './testing/redis-store';

let cluster: RedisCluster;

beforeAll(async () => {
  cluster = await startRedisCluster();
}, 60_000);
afterAll(() => cluster.stop());

describeStateContract('the Redis store on a Cluster of three masters with a replica each', (limits) =>
  makeRedisStore(cluster.address, limits),
);
