import {
  type Clock,
  type Counter,
  type Logger,
  type MetricsRegistry,
  type Millis,
  TandemError,
  type TelemetryEntry,
  type TelemetryLog,
  type Timer,
} from '@tandem/core';
import type { Cluster, Redis } from 'ioredis';
import { type Commands, closedError } from '../client';
import type { Keys } from '../keys';
import type { RedisBounds } from '../options';
import { BatchSender } from './batch-sender';
import { encodeDevice, encodeMessage } from './message-codec';
import { PartitionWriter } from './partition-writer';
import { agreePartitions, partitionOf, reportPartitions } from './partitions';
import { progressOf } from './progress';
import { StreamLengths } from './stream-lengths';

const RETRY_AFTER: Millis = 1_000;
/** How often the lengths of the streams and their number are read: other processes append and consume as well. */
const REFRESH_INTERVAL: Millis = 1_000;
/** Bytes that a message takes beside its text: the device's id, and what belongs to it in memory. */
const ENTRY_OVERHEAD = 64;

export interface TelemetryLogOptions {
  readonly commands: Commands;
  /**
   * What batches go over: `openClient`. One of its own with `waitReplicas`, since a WAIT holds up what comes behind it on its
   * connection; else it may be that of the commands.
   */
  readonly client: Redis | Cluster;
  readonly keys: Keys;
  readonly bounds: Pick<RedisBounds, 'waitReplicas' | 'timeout' | 'backlogMax' | 'maxInFlightBytes' | 'partitions'>;
  /** Names this process among the writers: nobody else ever has it. */
  readonly processId: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
}

/** The telemetry log in streams of Redis; its form is told in message-codec.ts. */
export class RedisTelemetryLog implements TelemetryLog {
  readonly #writers = new Map<number, PartitionWriter>();
  readonly #lengths = new StreamLengths();
  readonly #sender: BatchSender;
  readonly #held: Counter;
  readonly #full: Counter;
  /** Whom every accepted batch is told: the materialiser of this process. */
  #consumer: (() => void) | undefined;
  #inFlight = 0;
  #inFlightBytes = 0;
  #scheduled = false;
  #closed = false;
  #drained: (() => void) | undefined;
  #refresh: Timer | undefined;
  #refreshing: Promise<void> = Promise.resolve();

  /** Agrees with the store on the number of partitions and reads how full they are. */
  static async open(options: TelemetryLogOptions): Promise<RedisTelemetryLog> {
    const { commands, keys, bounds, logger } = options;
    const partitions = await agreePartitions(commands, keys, bounds.partitions);
    reportPartitions(partitions, bounds.partitions, logger);
    const log = new RedisTelemetryLog(options, partitions);
    await log.#readLengths();
    log.#refreshLater();
    return log;
  }

  private constructor(
    private readonly options: TelemetryLogOptions,
    private partitionCount: number,
  ) {
    const { client, bounds, metrics } = options;
    this.#sender = new BatchSender(client, bounds.waitReplicas, bounds.timeout);
    metrics.gauge('tandem_telemetry_backlog', () => this.backlog());
    metrics.gauge('tandem_telemetry_in_flight_bytes', () => this.#inFlightBytes);
    this.#held = metrics.counter('tandem_limit_hits_total', { limit: 'TANDEM_REDIS_MAX_IN_FLIGHT_BYTES' });
    this.#full = metrics.counter('tandem_limit_hits_total', { limit: 'TANDEM_TELEMETRY_BACKLOG_MAX' });
  }

  /** Streams of the log. */
  get partitions(): number {
    return this.partitionCount;
  }

  append(entry: TelemetryEntry): Promise<void> {
    if (this.#closed) return Promise.reject(closedError());
    const { backlogMax, maxInFlightBytes } = this.options.bounds;
    if (this.backlog() >= backlogMax) {
      this.#full.add();
      return Promise.reject(new TandemError('BACKLOG_FULL', { retryAfter: RETRY_AFTER }));
    }
    const text = encodeMessage(entry);
    const bytes = Buffer.byteLength(text) + ENTRY_OVERHEAD;
    // One message alone is always taken, however large it is.
    if (this.#inFlightBytes > 0 && this.#inFlightBytes + bytes > maxInFlightBytes) {
      this.#held.add();
      return Promise.reject(
        new TandemError('BACKLOG_FULL', {
          message: 'The gateway holds as much telemetry as it may until the store takes it',
          retryAfter: RETRY_AFTER,
        }),
      );
    }
    this.#inFlight++;
    this.#inFlightBytes += bytes;
    return this.#writer(partitionOf(entry.deviceId, this.partitionCount)).add(encodeDevice(entry), text, bytes);
  }

  backlog(): number {
    return this.#inFlight + this.#lengths.total;
  }

  /** Calls back when something new is in the log. */
  onAppended(consumer: () => void): void {
    this.#consumer = consumer;
  }

  /** What somebody else has read of a stream: see StreamLengths. */
  heard(partition: number, newestId: string, length: number): void {
    // Of one that counts no more an answer may come late.
    if (partition < this.partitionCount) this.#lengths.heard(partition, newestId, length);
  }

  /** What is not in the log yet is refused: the store does not answer, and nobody waits for it any longer. */
  giveUp(): void {
    for (const writer of this.#writers.values()) writer.giveUp();
  }

  /** Takes nothing more; resolves when everything accepted is in the log or has been refused. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#refresh?.cancel();
    if (this.#inFlight > 0) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    }
    await this.#refreshing;
  }

  #writer(partition: number): PartitionWriter {
    let writer = this.#writers.get(partition);
    if (!writer) {
      const { keys, processId, bounds, clock, logger } = this.options;
      writer = new PartitionWriter({
        keys: [keys.telemetry(partition), keys.partition(partition, `writer:${processId}`)],
        sender: this.#sender,
        timeout: bounds.timeout,
        backlogMax: bounds.backlogMax,
        clock,
        logger,
        schedule: this.#schedule,
        answered: (newestId, length) => this.heard(partition, newestId, length),
        refused: this.#full,
        done: this.#done,
      });
      this.#writers.set(partition, writer);
    }
    return writer;
  }

  readonly #schedule = (): void => {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#flush);
  };

  readonly #flush = (): void => {
    this.#scheduled = false;
    for (const writer of this.#writers.values()) writer.flush();
  };

  readonly #done = (entries: number, bytes: number, accepted: boolean): void => {
    this.#inFlight -= entries;
    this.#inFlightBytes -= bytes;
    if (accepted) this.#consumer?.();
    if (this.#inFlight === 0) this.#drained?.();
  };

  #refreshLater(): void {
    if (this.#closed) return;
    this.#refresh = this.options.clock.setTimer(REFRESH_INTERVAL, () => {
      this.#refreshing = this.#reread().finally(() => this.#refreshLater());
    });
  }

  /** A store that does not answer is tried again with the next round; whoever appends hears of it by himself. */
  async #reread(): Promise<void> {
    const { commands, keys, bounds, logger } = this.options;
    try {
      // A Redis that was restarted empty has lost the number, and another process may have been the first on it.
      const partitions = await agreePartitions(commands, keys, this.partitionCount);
      if (partitions !== this.partitionCount) {
        reportPartitions(partitions, bounds.partitions, logger);
        this.#repartition(partitions);
      }
      await this.#readLengths();
    } catch (error) {
      if (logger.debugEnabled) logger.debug('the telemetry streams cannot be read', { error: String(error) });
    }
  }

  /** Nobody reads the streams that count no more: what is on its way to them must not be taken for accepted. */
  #repartition(partitions: number): void {
    this.partitionCount = partitions;
    this.#lengths.forgetFrom(partitions);
    // Writers stay: Redis remembers by their numbers what it has had of them.
    for (const [partition, writer] of this.#writers) if (partition >= partitions) writer.giveUp();
  }

  async #readLengths(): Promise<void> {
    const { commands, keys } = this.options;
    const partitions = Array.from({ length: this.partitionCount }, (_, partition) => partition);
    const read = async (partition: number) => {
      const version = this.#lengths.version(partition);
      const { everNewestId, length } = await progressOf(commands, keys, partition);
      this.#lengths.read(partition, version, everNewestId, length);
    };
    // A key of another program in the place of one stream is no reason to know nothing of the others.
    const results = await Promise.allSettled(partitions.map(read));
    const failed = results.find(
      (result) => result.status === 'rejected' && TandemError.from(result.reason).code === 'STORE_UNAVAILABLE',
    );
    if (failed?.status === 'rejected') throw failed.reason;
  }
}
