export { describeActivityContract } from './activity-contract';
export * from './builders';
export * from './fake-clock';
export * from './json-shapes';
export { describeKeptRpcsContract } from './kept-rpcs-contract';
export { describeRateCounters } from './rate-counters-contract';
export { describeRpcStoreContract } from './rpc-store-contract';
export { describeStateContract } from './state-contract';
export type { MakeStore, StoreLimits, StoreUnderTest } from './store-under-test';
