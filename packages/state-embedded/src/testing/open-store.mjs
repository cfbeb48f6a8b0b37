// The built store in a process of its own, for tests that kill it.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { MetricsRegistry, silentLogger, systemClock, systemRandom } = require('@tandem/core');
const { openEmbeddedState } = require('../../dist/index.js');

/** @param {string} folder */
export const openStore = (folder, given = {}) =>
  openEmbeddedState({
    folder,
    durability: 'process',
    backlogMax: 1_000_000,
    eventLogMax: 1_000_000,
    rpcMaxPending: 1_000,
    minFreeBytes: 1,
    telemetryKeysMax: 10_000,
    historyMaxAge: 0,
    retentionInterval: 3_600_000,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    metrics: new MetricsRegistry(),
    ...given,
  });
