export * from './await-redis';
export * from './refused-error';
