import type { Clock, Logger, MetricsRegistry, Millis, Random, RedisAddress, SecretBox, Settings } from '@tandem/core';

/** The bounds and promises of the store; plain data, so that a worker thread can have them. */
export interface RedisBounds {
  /** First part of every key: stores of different prefixes know nothing of each other. */
  readonly prefix: string;
  /** Replicas that must have a write before it is acknowledged. */
  readonly waitReplicas: number;
  readonly durability: 'process' | 'power';
  /** How long Redis may take for one operation. */
  readonly timeout: Millis;
  /** Telemetry messages that may wait for the slowest consumer group. */
  readonly backlogMax: number;
  /** Bytes of telemetry that this process holds until Redis has them. */
  readonly maxInFlightBytes: number;
  /** Attribute events kept for each device. */
  readonly eventLogMax: number;
  /** Open RPCs of one device. */
  readonly rpcMaxPending: number;
  /** Finished persistent RPCs of one device. */
  readonly rpcFinishedMax: number;
  /** Commands of which this process remembers the device. */
  readonly rpcCacheMax: number;
  /** Devices that are kept in memory to list them. */
  readonly directoryMax: number;
  /** Every waiter is woken this often, told or not. */
  readonly rereadInterval: Millis;
  /** How long a change of sessions waits for other processes to hear of it; 0 = not at all. */
  readonly changeWait: Millis;
  /** Points kept for each time series of a device. */
  readonly historyMax: number;
  /** How old points of the history may get; 0 = for ever. */
  readonly historyMaxAge: Millis;
  /** From the end of a pass of the retention to the begin of the next. */
  readonly retentionInterval: Millis;
  /** Telemetry keys of one device that the view takes. */
  readonly telemetryKeysMax: number;
  /** Streams of the telemetry log, where this process is the first on an empty store. */
  readonly partitions: number;
  /** A group of another program that holds back the streams and has not read for this long is removed. */
  readonly consumerGroupTtl: Millis;
}

export interface RedisStateOptions extends RedisBounds {
  readonly address: RedisAddress;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
  /** What seals secrets; without it they stay as they are given. */
  readonly secretBox?: SecretBox;
  /** Gives up waiting for a Redis that does not answer. */
  readonly signal?: AbortSignal;
  /** Hears in one line, without a secret, why Redis cannot be used yet: at every attempt that fails. */
  readonly onWaiting?: (reason: string) => void;
}

/** Redis holds everything in memory. */
const DEFAULT_HISTORY_MAX = 10_000;

/** The bounds out of the settings: the one place that knows which is which. */
export const redisBoundsOf = (settings: Settings): RedisBounds => ({
  prefix: settings.TANDEM_REDIS_PREFIX,
  waitReplicas: settings.TANDEM_REDIS_WAIT_REPLICAS,
  durability: settings.TANDEM_DURABILITY,
  timeout: settings.TANDEM_REDIS_TIMEOUT,
  backlogMax: settings.TANDEM_TELEMETRY_BACKLOG_MAX,
  maxInFlightBytes: settings.TANDEM_REDIS_MAX_IN_FLIGHT_BYTES,
  eventLogMax: settings.TANDEM_EVENT_LOG_MAX,
  rpcMaxPending: settings.TANDEM_RPC_MAX_PENDING,
  rpcFinishedMax: settings.TANDEM_RPC_FINISHED_MAX,
  rpcCacheMax: settings.TANDEM_REDIS_RPC_CACHE_MAX,
  directoryMax: settings.TANDEM_DEVICE_DIRECTORY_MAX,
  rereadInterval: settings.TANDEM_REDIS_REREAD_INTERVAL,
  changeWait: settings.TANDEM_REDIS_CHANGE_WAIT,
  historyMax: settings.TANDEM_HISTORY_MAX ?? DEFAULT_HISTORY_MAX,
  historyMaxAge: settings.TS_KV_TTL * 1_000,
  retentionInterval: settings.TANDEM_RETENTION_INTERVAL,
  telemetryKeysMax: settings.TANDEM_TELEMETRY_KEYS_MAX,
  partitions: settings.TANDEM_TELEMETRY_PARTITIONS,
  consumerGroupTtl: settings.TANDEM_CONSUMER_GROUP_TTL,
});
