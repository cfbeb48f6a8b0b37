import { MetricsRegistry, type RedisAddress, type State, silentLogger, systemClock, systemRandom } from '@tandem/core';
import type { StoreLimits, StoreUnderTest } from '@tandem/core/testing';
import { openRedisState, type RedisStateOptions } from '../index';
import { PATIENCE } from './patience';

let stores = 0;

/** Bounds that do not matter, on a prefix that nobody else has. */
export const optionsFor = (address: RedisAddress, given: Partial<RedisStateOptions> = {}): RedisStateOptions => ({
  address,
  prefix: `test-${process.pid}-${++stores}`,
  waitReplicas: 0,
  durability: 'process',
  timeout: PATIENCE,
  backlogMax: 1_000_000,
  maxInFlightBytes: 67_108_864,
  eventLogMax: 10_000,
  rpcMaxPending: 1_000,
  rpcFinishedMax: 10_000,
  rpcCacheMax: 1_000,
  directoryMax: 10_000,
  rereadInterval: 60_000,
  changeWait: 500,
  historyMax: 100_000,
  historyMaxAge: 0,
  retentionInterval: 3_600_000,
  telemetryKeysMax: 10_000,
  partitions: 3,
  consumerGroupTtl: 86_400_000,
  clock: systemClock,
  random: systemRandom,
  logger: silentLogger,
  metrics: new MetricsRegistry(),
  ...given,
});

/** The real store on a Redis of the test, under a prefix of its own. */
export async function makeRedisStore(
  address: RedisAddress,
  given: Partial<StoreLimits & RedisStateOptions> = {},
): Promise<StoreUnderTest> {
  const options = optionsFor(address, given);
  const open = () => openRedisState({ ...options, metrics: new MetricsRegistry() });
  let state: State = await open();
  return {
    state,
    async reopen() {
      await state.close();
      state = await open();
      return state;
    },
    async destroy() {
      await state.close();
    },
  };
}
