import { keyPrefix, redisUrl } from '../redis-address';
import { millis, optionalText, type Setting, whole } from '../setting';

/** The shared store. */
export const REDIS_SETTINGS = {
  REDIS_URL: redisUrl(
    'Shared store: `redis://` or `rediss://`, one address or a comma list; a Cluster is detected. Unset = embedded store',
    { secret: true },
  ),
  REDIS_PASSWORD: optionalText('Password for Redis where `REDIS_URL` has none, as it is, with nothing written `%..`', {
    secret: true,
  }),
  TANDEM_REDIS_PREFIX: keyPrefix('tandem', 'First part of every key in Redis: gateways of one prefix are one gateway'),
  TANDEM_REDIS_WAIT_REPLICAS: whole(
    0,
    { min: 0 },
    'Replicas of Redis that must have a write before it is acknowledged; 0 = the master is enough',
  ),
  TANDEM_REDIS_TIMEOUT: millis(5_000, 'How long Redis may take for a write or a read; then callers get 503 / 5.03'),
  TANDEM_REDIS_MAX_IN_FLIGHT_BYTES: whole(
    67_108_864,
    { min: 65_536, unit: 'bytes' },
    'Telemetry that this process holds until Redis has it; beyond it devices get 503 / 5.03',
  ),
  TANDEM_REDIS_REREAD_INTERVAL: millis(
    15_000,
    'Every waiter re-reads its device this often, whether or not Redis told of a change: wake-ups can get lost',
  ),
  TANDEM_REDIS_CHANGE_WAIT: millis(
    500,
    'How long a changed profile, device or token waits until every other process has heard of it, before it is answered; 0 = not at all',
  ),
  TANDEM_REDIS_RPC_CACHE_MAX: whole(100_000, { min: 1 }, 'Commands of which this process remembers the device'),
  TANDEM_TELEMETRY_PARTITIONS: whole(
    8,
    { min: 1, max: 256 },
    'Streams that telemetry is spread over in Redis; counts only for the first process on an empty store',
  ),
  TANDEM_CONSUMER_GROUP_TTL: millis(
    86_400_000,
    'A consumer group of another program that holds back the telemetry streams and has not read for this long is removed',
  ),
} as const satisfies Record<string, Setting<unknown>>;
