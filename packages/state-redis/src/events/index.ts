export * from './redis-events';
export * from './subscriptions';
export * from './wake-ups';
