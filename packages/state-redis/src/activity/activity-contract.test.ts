import { describeActivityContract } from '@tandem/core/testing';
import { ActivityRedis, makeTwoProcesses } from './testing/activity-under-test';

let redis: ActivityRedis;

beforeAll(async () => {
  redis = await ActivityRedis.start();
});
afterAll(() => redis.stop());

describe('Kept by two processes in turn:', () => {
  describeActivityContract(() => makeTwoProcesses(redis));
});

describe('Kept where every answer of Redis gets lost once, and the script runs again:', () => {
  describeActivityContract(() => makeTwoProcesses(redis, { stammering: true }));
});
