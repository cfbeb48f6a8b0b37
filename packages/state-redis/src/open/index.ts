export * from './await-redis';
export { isOfLogin } from './reasons';
export * from './refused-error';
