import { randomUUID } from 'node:crypto';
import {
  type Clock,
  type LabelsOf,
  type Logger,
  type MetricName,
  MetricsRegistry,
  type RedisAddress,
  silentLogger,
  systemClock,
  type Uuid,
} from '@tandem/core';
import { aMessage } from '@tandem/core/testing';
import { Commands, closeClient, openClient } from '../../client';
import { Keys } from '../../keys';
import type { RedisBounds } from '../../options';
import { DeviceBirths } from '../../registry/device-births';
import { RegistryReader } from '../../registry/reader';
import { RedisMaterialiser } from '../materialiser';
import { RedisTelemetryLog } from '../telemetry-log';
import { RedisTelemetryView } from '../telemetry-view';

export interface TelemetryGiven {
  readonly cluster?: boolean;
  readonly bounds?: Partial<RedisBounds>;
  readonly lease?: number;
  readonly retryInterval?: number;
  readonly entryMax?: number;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

const BOUNDS: RedisBounds = {
  prefix: 'tandem',
  waitReplicas: 0,
  durability: 'process',
  timeout: 5_000,
  backlogMax: 1_000_000,
  maxInFlightBytes: 64_000_000,
  eventLogMax: 100,
  rpcMaxPending: 100,
  rpcFinishedMax: 100,
  rpcCacheMax: 100,
  directoryMax: 100,
  rereadInterval: 15_000,
  changeWait: 500,
  historyMax: 100_000,
  historyMaxAge: 0,
  retentionInterval: 3_600_000,
  telemetryKeysMax: 10_000,
  partitions: 4,
  consumerGroupTtl: 86_400_000,
};

/** The telemetry parts of one process, put together as in the store. */
export async function openTelemetry(address: RedisAddress, given: TelemetryGiven = {}): Promise<TelemetryUnderTest> {
  const { cluster = false, clock = systemClock, logger = silentLogger, lease, retryInterval, entryMax } = given;
  const bounds = { ...BOUNDS, ...given.bounds };
  const connection = { address, cluster, timeout: bounds.timeout };
  const client = openClient(connection, logger);
  const waiting = openClient(connection, logger);
  const commands = new Commands(client, waiting, { ...bounds, logger });
  const keys = new Keys(bounds.prefix);
  const metrics = new MetricsRegistry();
  const processId = randomUUID();
  const shared = { commands, keys, bounds, processId, clock, logger, metrics };
  const log = await RedisTelemetryLog.open({ ...shared, client: bounds.waitReplicas > 0 ? waiting : client });
  const materialiser = new RedisMaterialiser({ ...shared, connection, log, lease, retryInterval, entryMax });
  log.onAppended(() => materialiser.wake());
  const view = new RedisTelemetryView(commands, keys, cluster ? 'SPUBLISH' : 'PUBLISH');
  const close = async () => {
    await log.close();
    await commands.close();
    await materialiser.close();
    await Promise.all([closeClient(client), closeClient(waiting)]);
  };
  return new TelemetryUnderTest(log, materialiser, view, commands, keys, metrics, processId, close);
}

const ALL = { startTs: 0, endTs: Number.MAX_SAFE_INTEGER, limit: 1_000_000, order: 'ASC' } as const;

export class TelemetryUnderTest {
  constructor(
    readonly log: RedisTelemetryLog,
    readonly materialiser: RedisMaterialiser,
    readonly view: RedisTelemetryView,
    readonly commands: Commands,
    readonly keys: Keys,
    readonly metrics: MetricsRegistry,
    readonly processId: string,
    readonly close: () => Promise<void>,
  ) {}

  /** A device with its event log, as the registry begins it. */
  async device(): Promise<Uuid> {
    const id = randomUUID();
    const births = new DeviceBirths(this.commands, this.keys, new RegistryReader(this.commands, this.keys));
    await births.begin(id, randomUUID());
    return id;
  }

  append(id: Uuid, ts: number): Promise<void> {
    return this.log.append(aMessage({ id }, ts, { t: String(ts) }));
  }

  /** What the view has of `append`. */
  async times(id: Uuid): Promise<number[]> {
    return (await this.view.history(id, 't', ALL)).map(({ ts }) => ts);
  }

  metric<N extends MetricName>(name: N, labels?: Partial<LabelsOf<N>>): number | undefined {
    return this.metrics.value(name, labels);
  }
}
