export * from './redis-events';
export * from './redis-feed';
export * from './redis-processes';
export * from './subscriptions';
export * from './wake-ups';
