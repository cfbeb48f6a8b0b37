import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import {
  type Clock,
  type Logger,
  MATERIALISER_MESSAGE_MAX,
  type Materialiser,
  type MaterialiserCondition,
  MaterialiserRecord,
  type MetricsRegistry,
  quietLogger,
  RetentionMetrics,
  TandemError,
  type Timer,
  type Uuid,
} from '@tandem/core';
import { type Commands, type ConnectionSettings, closedError } from '../client';
import type { Keys } from '../keys';
import { partitionOf } from './partitions';
import { hasPassed, type Progress, progressOf } from './progress';
import { readRetention, wantPass } from './retention-state';
import type { FromWorker, ToWorker, WorkerBounds, WorkerData } from './worker-messages';

/** What the materialiser has to know about the log it moves. */
export interface LogEnd {
  readonly partitions: number;
  /** What was read of a stream. */
  heard(partition: number, newestId: string, length: number): void;
}

export interface MaterialiserOptions {
  readonly commands: Commands;
  readonly keys: Keys;
  /** The thread opens connections of its own. */
  readonly connection: ConnectionSettings;
  readonly bounds: WorkerBounds;
  /** Names this process among those who materialise: nobody else ever has it. */
  readonly processId: string;
  readonly log: LogEnd;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
  /** How long a partition stays with a process that is not heard of; 5 s where left out. */
  readonly lease?: number;
  /** How often what was left out of the view is tried again; 30 s where left out. */
  readonly retryInterval?: number;
  /** Bytes of the largest entry of the log that gets into the view; all that is accepted where left out. */
  readonly entryMax?: number;
}

const LEASE = 5_000;
const RETRY_INTERVAL = 30_000;
const RESTART_DELAY = 1_000;
/** What a device does wrong it does with every message. */
const LOG_INTERVAL = 10_000;
/** A step that is waiting for Redis is not waited for longer than this: the process has to end in time. */
const LONGEST_STOP = 3_800;
/** How often somebody who waits looks, when this process does not move the partition itself. */
const LOOK_INTERVAL = 50;
/** Beside the message: its device, when its points leave the history, and the names of the fields. */
const ENTRY_OVERHEAD = 1_024;
/**
 * Megabytes. What a step holds is bounded (partition-reader.ts): three portions at the most, of which one is on its way to Redis
 * and there three times more; each may be a message of 64 MiB, with two bytes for each character where it is not Latin-1. Nothing
 * outlives the step. Beyond its heap the thread would end the process with it.
 */
const WORKER_MEMORY = { maxYoungGenerationSizeMb: 64, maxOldGenerationSizeMb: 1_024 };
/** Always the built file: a worker thread loads JavaScript, also when the rest runs from the sources. */
const WORKER_FILE = join(__dirname, '..', '..', 'dist', 'telemetry', 'materialiser-worker.js');

/** Runs the steps of steps.ts in a worker thread, so that they never sit in the path of an acknowledgement. */
export class RedisMaterialiser implements Materialiser {
  readonly #idle = new Int32Array(new SharedArrayBuffer(4));
  readonly #expired: { add(n?: number): void };
  readonly #leftOut: { add(n?: number): void };
  readonly #retention: RetentionMetrics;
  readonly #quiet: Logger;
  readonly #record = new MaterialiserRecord();
  #worker: Worker | undefined;
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  #retry: Timer | undefined;
  /** Those who wait for the view: to be called when it may have got further. */
  readonly #waiting = new Set<() => void>();
  #closed = false;

  constructor(private readonly options: MaterialiserOptions) {
    this.#retention = new RetentionMetrics(options.metrics);
    this.#quiet = quietLogger(options.logger, options.clock, LOG_INTERVAL);
    options.metrics.gauge('tandem_materialiser_failures', () => this.#record.failures);
    this.#expired = options.metrics.counter('tandem_consumer_groups_expired_total');
    this.#leftOut = options.metrics.counter('tandem_telemetry_left_out_total');
  }

  condition(): MaterialiserCondition {
    return this.#record.condition;
  }

  /** There is something new. Cheap while the worker is busy: only one who waits needs a message. */
  wake(): void {
    if (Atomics.exchange(this.#idle, 0, 0) === 1) this.#tell('wake');
  }

  async start(): Promise<void> {
    if (this.#closed) throw closedError();
    await this.#stopping;
    if (this.#closed) throw closedError();
    this.#stopping = undefined;
    this.#retry?.cancel();
    if (!this.#worker) this.#starting = this.#launch();
    await this.#starting;
  }

  stop(): Promise<void> {
    this.#retry?.cancel();
    this.#stopping ??= this.#end();
    return this.#stopping;
  }

  /** Stops for good: nobody waits for it in vain. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const look of this.#waiting) look();
    await this.stop();
  }

  /** Whichever process moves the partitions. */
  async caughtUp(deviceId?: Uuid): Promise<void> {
    const { log } = this.options;
    const goals = new Map<number, string>();
    const partitions =
      deviceId === undefined
        ? Array.from({ length: log.partitions }, (_, n) => n)
        : [partitionOf(deviceId, log.partitions)];
    for (const [partition, progress] of await this.#look(partitions)) {
      if (!hasPassed(progress, progress.newestId)) goals.set(partition, progress.newestId);
    }
    while (goals.size > 0) {
      this.#tell('hurry');
      await this.#moved();
      for (const [partition, progress] of await this.#look([...goals.keys()])) {
        if (hasPassed(progress, goals.get(partition) ?? '')) goals.delete(partition);
      }
    }
  }

  /** Whichever process sweeps. */
  async swept(): Promise<void> {
    const { commands, keys } = this.options;
    let goal = await this.#answered(() => wantPass(commands, keys));
    for (;;) {
      this.#tell('sweep');
      await this.#moved();
      const { wanted, served, ended } = await this.#answered(() => readRetention(commands, keys));
      if (served >= goal) return this.#retention.step({ progress: 1, ended, removed: 0 });
      // A Redis that was restarted empty has forgotten that somebody asked.
      if (wanted < goal) goal = await this.#answered(() => wantPass(commands, keys));
    }
  }

  /** Waits for a store that does not answer. */
  #look(partitions: readonly number[]): Promise<(readonly [number, Progress])[]> {
    const { commands, keys, log } = this.options;
    return this.#answered(() =>
      Promise.all(
        partitions.map(async (partition) => {
          const progress = await progressOf(commands, keys, partition);
          log.heard(partition, progress.everNewestId, progress.length);
          return [partition, progress] as const;
        }),
      ),
    );
  }

  async #answered<T>(ask: () => Promise<T>): Promise<T> {
    for (;;) {
      if (this.#closed) throw closedError();
      try {
        return await ask();
      } catch (error) {
        if (TandemError.from(error).code !== 'STORE_UNAVAILABLE' || this.#closed) throw error;
        await this.#moved();
      }
    }
  }

  /** Resolves when the view may have got further. */
  #moved(): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        timer.cancel();
        this.#waiting.delete(look);
        resolve();
      };
      const timer = this.options.clock.setTimer(LOOK_INTERVAL, look);
      this.#waiting.add(look);
    });
  }

  #tell(message: ToWorker): void {
    this.#worker?.postMessage(message);
  }

  #end(): Promise<void> {
    const worker = this.#worker;
    if (!worker) return Promise.resolve();
    const { clock, bounds, logger } = this.options;
    return new Promise((resolve) => {
      const late = clock.setTimer(Math.min(bounds.timeout + RESTART_DELAY, LONGEST_STOP), () => {
        logger.warn('the materialiser did not stop in time', {});
        void worker.terminate();
      });
      worker.once('exit', () => {
        late.cancel();
        resolve();
      });
      this.#tell('stop');
    });
  }

  /** Resolves when the worker runs; from then on it is started again whenever it dies. */
  #launch(): Promise<void> {
    const { connection, bounds, processId, log, logger } = this.options;
    const { lease = LEASE, retryInterval = RETRY_INTERVAL } = this.options;
    const { entryMax = MATERIALISER_MESSAGE_MAX + ENTRY_OVERHEAD } = this.options;
    const { prefix, waitReplicas, timeout, historyMax, historyMaxAge, retentionInterval } = bounds;
    const { telemetryKeysMax, consumerGroupTtl } = bounds;
    const workerData: WorkerData = {
      connection,
      bounds: {
        prefix,
        waitReplicas,
        timeout,
        historyMax,
        historyMaxAge,
        retentionInterval,
        telemetryKeysMax,
        consumerGroupTtl,
      },
      processId,
      partitions: log.partitions,
      lease,
      retryInterval,
      entryMax,
      idle: this.#idle.buffer as SharedArrayBuffer,
    };
    const worker = new Worker(WORKER_FILE, { workerData, resourceLimits: WORKER_MEMORY });
    this.#worker = worker;
    return new Promise((resolve, reject) => {
      let ran = false;
      let died: string | undefined;
      worker.on('message', (message: FromWorker) => {
        if (message.kind !== 'ready') return this.#hear(message);
        ran = true;
        this.#record.running();
        resolve();
      });
      worker.on('error', (error) => {
        logger.error('materialiser died', { error: String(error) });
        died = String(error);
        reject(error);
      });
      worker.on('exit', (code) => {
        this.#worker = undefined;
        if (this.#stopping) this.#record.stopped();
        else this.#record.ended(died ?? `it ended with code ${code}`);
        reject(new Error(`materialiser ended with code ${code} before it ran`));
        if (ran) this.#again();
      });
    });
  }

  #again(): void {
    if (this.#stopping) return;
    this.#retry = this.options.clock.setTimer(RESTART_DELAY, () => {
      this.#starting = this.#launch();
      this.#starting.catch(() => this.#again());
    });
  }

  #hear(message: Exclude<FromWorker, { kind: 'ready' }>): void {
    const { log, logger } = this.options;
    switch (message.kind) {
      case 'log':
        logger[message.level](message.message, message.fields);
        break;
      case 'worked':
        this.#record.worked();
        break;
      case 'failed':
        this.#record.failed(message.error);
        break;
      case 'expired':
        this.#expired.add(message.groups);
        break;
      case 'left-out':
        this.#leftOut.add(message.entries);
        break;
      case 'refused':
        this.#retention.refused(message.values);
        this.#quiet.warn(
          'a device has all the telemetry keys it may have: values of further ones are not in the view',
          {
            deviceId: message.deviceId,
            values: message.values,
          },
        );
        break;
      case 'too-large':
        this.#retention.tooLarge(1);
        logger.error('a message is too large for the materialiser: it is not in the view', {
          deviceId: message.deviceId,
          bytes: message.bytes,
        });
        break;
      case 'swept-step':
        this.#retention.step(message);
        for (const look of this.#waiting) look();
        break;
      case 'moved':
        log.heard(message.partition, message.newestId, message.length);
        for (const look of this.#waiting) look();
    }
  }
}
