import type { Settings } from '../config/settings';
import type { Platform } from '../core';
import { FailuresInTime } from '../limits/failures-in-time';
import { MemoryFailureCounters } from '../limits/memory-failure-counters';
import type { Millis } from '../platform/clock';
import { quietLogger } from '../platform/quiet-logger';
import type { FailureCounters } from '../state/failure-counters';
import { CredentialsGuard } from './credentials-guard';

const LOG_INTERVAL: Millis = 60_000;

export function makeCredentialsGuard(
  shared: FailureCounters,
  settings: Settings,
  { clock, logger, metrics }: Omit<Platform, 'random'>,
): CredentialsGuard {
  const alone = new MemoryFailureCounters(
    settings.TANDEM_LOCKED_ADDRESSES_MAX,
    metrics,
    'tandem_wrong_credentials_addresses',
  );
  const quiet = quietLogger(logger, clock, LOG_INTERVAL);
  const lock = settings.TB_TRANSPORT_IP_BLOCK_TIMEOUT;
  const max = settings.TB_TRANSPORT_IP_RATE_LIMITS_ENABLED ? settings.TB_TRANSPORT_MAX_WRONG_CREDENTIALS_PER_IP : 0;
  return new CredentialsGuard(
    new FailuresInTime(alone, shared, settings.TANDEM_RATE_LIMIT_TIMEOUT, clock, quiet, metrics),
    {
      failures: { max, window: lock, lock },
      maxLocked: settings.TANDEM_LOCKED_ADDRESSES_MAX,
      maxLookups: settings.TANDEM_CREDENTIALS_MAX_LOOKUPS,
    },
    clock,
    metrics,
  );
}
