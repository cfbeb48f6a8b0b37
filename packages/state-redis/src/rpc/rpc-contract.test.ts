import { describeKeptRpcsContract, describeRpcStoreContract, type StoreLimits } from '@tandem/core/testing';
import { makeTwoProcesses, RpcRedis } from './testing/rpcs-under-test';

let redis: RpcRedis;

beforeAll(async () => {
  redis = await RpcRedis.start();
});
afterAll(() => redis.stop());

describe.each([
  ['Kept by two processes in turn:', false],
  ['Kept when every write reaches Redis twice:', true],
])('%s', (_name, twice) => {
  const make = (limits?: Partial<StoreLimits>) => makeTwoProcesses(redis, limits, { twice });
  describeRpcStoreContract(make);
  describeKeptRpcsContract(make);
});
