import { describeStateContract } from '@tandem/core/testing';
import { type RedisServer, startRedis } from './testing/redis-server';
import { makeRedisStore } from './testing/redis-store';

let redis: RedisServer;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

describeStateContract('the Redis store', (limits) => makeRedisStore(redis.address, limits));
