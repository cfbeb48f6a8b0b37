export * from './redis-events';
export * from './redis-feed';
export * from './subscriptions';
export * from './wake-ups';
