export { awaitRedis, isOfLogin, lookAtRedis, type RedisLook, RedisRefusedError, storedKeyProofs } from './open';
export { type RedisBounds, type RedisStateOptions, redisBoundsOf } from './options';
export { openRedisState } from './state';
