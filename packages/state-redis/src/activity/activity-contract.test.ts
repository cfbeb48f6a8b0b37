import { describeActivityContract } from '@tandem/core/testing';
import { makeTwoProcesses } from './testing/activity-under-test';

describe('Kept by two processes in turn:', () => {
  describeActivityContract(() => makeTwoProcesses());
});

describe('Kept where every answer of Redis gets lost once, and the script runs again:', () => {
  describeActivityContract(() => makeTwoProcesses({ stammering: true }));
});
