export * from './await-redis';
export * from './look-at-redis';
export { isOfLogin } from './reasons';
export * from './refused-error';
