export * from './redis-attributes';
