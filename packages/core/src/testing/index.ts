export * from './builders';
export * from './fake-clock';
export * from './json-shapes';
export { describeStateContract } from './state-contract';
export type { MakeStore, StoreLimits, StoreUnderTest } from './store-under-test';
