import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import {
  type Clock,
  type Deletion,
  type Logger,
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
import type { TelemetryTeller } from './device-feed';
import type { ToldEntry } from './materialise';
import type { DeleteOrder, FromWorker, ToWorker, WatchOrder, WorkerData } from './worker-messages';

/** What the materialiser has to know about the log it moves. */
export interface LogEnd {
  /** Sequence number of the newest entry that is in the log. */
  readonly newest: number;
  /** The view has changed: reads from now on must show it. */
  refresh(): void;
}

/** Hears of watched devices. */
export interface FeedEar {
  telemetry(entries: readonly ToldEntry[]): void;
  /** Telemetry of the device was deleted, or a part of it. */
  deleted(deviceId: Uuid): void;
  /** The worker died, perhaps after a step that it did not tell of. */
  missed(): void;
}

interface Waiter {
  readonly sequence: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

interface Answer {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

const RESTART_DELAY = 1_000;
const RETRY_AFTER = 1_000;
/** What a device does wrong it does with every message. */
const LOG_INTERVAL = 10_000;
/**
 * Megabytes. A step gathers some millions of characters, and one message of up to 64 MiB on top (materialise.ts), which is there
 * twice, and with two bytes for each character where it is not Latin-1; nothing outlives the step. Beyond its heap the thread
 * would end the process with it.
 */
const WORKER_MEMORY = { maxYoungGenerationSizeMb: 16, maxOldGenerationSizeMb: 768 };
/** Always the built file: a worker thread loads JavaScript, also when the rest runs from the sources. */
const WORKER_FILE = join(__dirname, '..', 'dist', 'materialiser-worker.js');

/** Runs the steps of materialise.ts in a worker thread, so that they never sit in the path of an acknowledgement. */
export class WorkerMaterialiser implements Materialiser, TelemetryTeller {
  readonly #idle = new Int32Array(new SharedArrayBuffer(4));
  #worker: Worker | undefined;
  #stopping: Promise<void> | undefined;
  #retry: Timer | undefined;
  readonly #waiting: Waiter[] = [];
  readonly #watched = new Set<Uuid>();
  /** Those who wait for the worker's word. */
  readonly #asking = new Map<number, () => void>();
  #asked = 0;
  readonly #deletions = new Map<number, Answer & { readonly deviceId: Uuid }>();
  #orders = 0;
  readonly #sweeps: (Answer & { readonly request: number })[] = [];
  #requests = 0;
  readonly #metrics: RetentionMetrics;
  readonly #quiet: Logger;
  readonly #record = new MaterialiserRecord();
  #closed = false;

  constructor(
    private readonly environment: Omit<WorkerData, 'idle'>,
    private readonly log: LogEnd,
    private readonly feed: FeedEar,
    private consumedUpTo: number,
    private readonly clock: Clock,
    private readonly logger: Logger,
    metrics: MetricsRegistry,
  ) {
    this.#metrics = new RetentionMetrics(metrics);
    metrics.gauge('tandem_materialiser_failures', () => this.#record.failures);
    this.#quiet = quietLogger(logger, clock, LOG_INTERVAL);
  }

  condition(): MaterialiserCondition {
    return this.#record.condition;
  }

  consumed(): number {
    return this.consumedUpTo;
  }

  watch(deviceId: Uuid): void {
    this.#watched.add(deviceId);
    this.#worker?.postMessage({ kind: 'watch', watch: deviceId } satisfies WatchOrder);
  }

  unwatch(deviceId: Uuid): void {
    this.#watched.delete(deviceId);
    this.#worker?.postMessage({ kind: 'watch', unwatch: deviceId } satisfies WatchOrder);
  }

  told(): Promise<void> {
    const worker = this.#worker;
    // The next one knows what is watched before its first step.
    if (!worker) return Promise.resolve();
    this.#asked++;
    const asked = this.#asked;
    return new Promise((resolve) => {
      this.#asking.set(asked, resolve);
      worker.postMessage({ kind: 'watch', asked } satisfies WatchOrder);
    });
  }

  /** Cheap while the worker is busy: only one who waits needs a message. */
  wake(): void {
    if (Atomics.exchange(this.#idle, 0, 0) === 1) this.#worker?.postMessage('wake' satisfies ToWorker);
  }

  async start(): Promise<void> {
    if (this.#closed) throw closedError();
    await this.#stopping;
    this.#stopping = undefined;
    this.#retry?.cancel();
    if (!this.#worker) await this.#launch();
  }

  stop(): Promise<void> {
    this.#retry?.cancel();
    this.#stopping ??= this.#end();
    return this.#stopping;
  }

  /** Stops for good: nobody waits for it in vain. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.stop();
    for (const { reject } of [...this.#waiting.splice(0), ...this.#sweeps.splice(0)]) reject(closedError());
  }

  caughtUp(): Promise<void> {
    const sequence = this.log.newest;
    if (this.consumedUpTo >= sequence) return Promise.resolve();
    this.#worker?.postMessage('hurry' satisfies ToWorker);
    return new Promise((resolve, reject) => this.#waiting.push({ sequence, resolve, reject }));
  }

  swept(): Promise<void> {
    if (this.#closed) return Promise.reject(closedError());
    const request = ++this.#requests;
    this.#askForSweep();
    return new Promise((resolve, reject) => this.#sweeps.push({ request, resolve, reject }));
  }

  /** Of what is in the view; the worker is its one writer, so this is between two of its steps. */
  delete(deviceId: Uuid, key: string, deletion: Deletion): Promise<void> {
    const worker = this.#stopping ? undefined : this.#worker;
    if (!worker) return Promise.reject(this.#closed ? closedError() : notRunning());
    const id = ++this.#orders;
    worker.postMessage({ kind: 'delete', id, deviceId, key, deletion } satisfies DeleteOrder);
    return new Promise((resolve, reject) => this.#deletions.set(id, { deviceId, resolve, reject }));
  }

  #askForSweep(): void {
    this.#worker?.postMessage({ kind: 'sweep', requests: this.#requests } satisfies ToWorker);
  }

  #end(): Promise<void> {
    const worker = this.#worker;
    if (!worker) return Promise.resolve();
    return new Promise((resolve) => {
      worker.once('exit', () => resolve());
      worker.postMessage('stop' satisfies ToWorker);
    });
  }

  /** Resolves when the worker runs; from then on it is started again whenever it dies. */
  async #launch(): Promise<void> {
    const workerData: WorkerData = { ...this.environment, idle: this.#idle.buffer as SharedArrayBuffer };
    const worker = new Worker(WORKER_FILE, { workerData, resourceLimits: WORKER_MEMORY });
    this.#worker = worker;
    for (const watch of this.#watched) worker.postMessage({ kind: 'watch', watch } satisfies WatchOrder);
    return new Promise((resolve, reject) => {
      let ran = false;
      let died: string | undefined;
      worker.on('message', (message: FromWorker) => {
        if (message.kind !== 'ready') return this.#hear(message);
        ran = true;
        this.#record.running();
        worker.postMessage('wake' satisfies ToWorker);
        if (this.#sweeps.length > 0) this.#askForSweep();
        resolve();
      });
      worker.on('error', (error) => {
        this.logger.error('materialiser died', { error: String(error) });
        died = String(error);
        reject(error);
      });
      worker.on('exit', (code) => {
        this.#worker = undefined;
        if (this.#stopping) this.#record.stopped();
        else this.#record.ended(died ?? `it ended with code ${code}`);
        this.#unheard();
        for (const deletion of this.#deletions.values()) deletion.reject(notRunning());
        this.#deletions.clear();
        reject(new Error(`materialiser ended with code ${code} before it ran`));
        if (ran) this.#again(() => this.#relaunch());
      });
    });
  }

  /** Whoever waited for the worker that has ended. */
  #unheard(): void {
    for (const resolve of this.#asking.values()) resolve();
    this.#asking.clear();
    if (!this.#stopping) this.feed.missed();
  }

  #relaunch(): void {
    this.#launch().catch(() => this.#again(() => this.#relaunch()));
  }

  #hear(message: Exclude<FromWorker, { kind: 'ready' }>): void {
    switch (message.kind) {
      case 'consumed':
        this.consumedUpTo = message.sequence;
        this.#record.worked();
        this.log.refresh();
        while (this.#waiting[0] && this.#waiting[0].sequence <= message.sequence) this.#waiting.shift()?.resolve();
        break;
      case 'told':
        this.log.refresh();
        this.feed.telemetry(message.entries);
        break;
      case 'asked':
        this.#asking.get(message.asked)?.();
        this.#asking.delete(message.asked);
        break;
      case 'idle':
        this.#record.worked();
        // An entry that was committed between the worker's last look and its flag would wait for the next one.
        if (this.consumedUpTo < this.log.newest) this.wake();
        break;
      case 'failed':
        this.logger.error('materialiser step failed', { error: message.error });
        this.#record.failed(message.error);
        this.#again(() => this.#worker?.postMessage('wake' satisfies ToWorker));
        break;
      case 'refused':
        this.#metrics.refused(message.values);
        this.#quiet.warn(
          'a device has all the telemetry keys it may have: values of further ones are not in the view',
          {
            deviceId: message.deviceId,
            values: message.values,
          },
        );
        break;
      case 'too-large':
        this.#metrics.tooLarge(1);
        this.logger.error('a message is too large for the materialiser: it is not in the view', {
          deviceId: message.deviceId,
          bytes: message.bytes,
        });
        break;
      case 'deleted':
        this.log.refresh();
        this.#deleted(message);
        break;
      case 'swept-step':
        if (message.removed > 0) this.log.refresh();
        this.#metrics.step(message);
        break;
      case 'swept':
        while (this.#sweeps[0] && this.#sweeps[0].request <= message.requests) this.#sweeps.shift()?.resolve();
        break;
      case 'sweep-failed':
        this.logger.error('what is too old could not be removed', { error: message.error });
    }
  }

  #deleted({ id, error }: Extract<FromWorker, { kind: 'deleted' }>): void {
    const deletion = this.#deletions.get(id);
    this.#deletions.delete(id);
    // One that failed may have done a part.
    if (deletion) this.feed.deleted(deletion.deviceId);
    if (error === undefined) deletion?.resolve();
    else deletion?.reject(new TandemError('STORE_UNAVAILABLE', { cause: new Error(error), retryAfter: RETRY_AFTER }));
  }

  #again(action: () => void): void {
    if (!this.#stopping) this.#retry = this.clock.setTimer(RESTART_DELAY, action);
  }
}

const closedError = () => new TandemError('STORE_UNAVAILABLE', { message: 'The store is closed' });

/** Its thread has died, or was not started: nothing was deleted. */
const notRunning = () =>
  new TandemError('STORE_UNAVAILABLE', { message: 'The materialiser does not run', retryAfter: RETRY_AFTER });
