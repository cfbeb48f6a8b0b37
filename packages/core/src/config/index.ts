export * from './payload-limits';
export * from './read-settings';
export type { RedisAddress } from './redis-address';
export * from './setting';
export * from './settings';
