import { describeKeptRpcsContract, describeRpcStoreContract } from '@tandem/core/testing';
import { makeTwoProcesses } from './testing/rpcs-under-test';

describe('Kept by two processes in turn:', () => {
  describeRpcStoreContract(makeTwoProcesses);
  describeKeptRpcsContract(makeTwoProcesses);
});

describe('Kept when every write reaches Redis twice:', () => {
  describeRpcStoreContract((limits) => makeTwoProcesses(limits, { twice: true }));
  describeKeptRpcsContract((limits) => makeTwoProcesses(limits, { twice: true }));
});
