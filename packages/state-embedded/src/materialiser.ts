import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type Clock, type Logger, type Materialiser, TandemError, type Timer, type Uuid } from '@tandem/core';
import type { TelemetryTeller } from './device-feed';
import type { Durability } from './environment';
import type { ToldEntry } from './materialise';

export interface WorkerData {
  readonly folder: string;
  readonly durability: Durability;
  /** Bytes that stay free on the disk; with less no step is taken. */
  readonly minFreeBytes: number;
  /** One Int32: 1 while the worker waits to be woken. */
  readonly idle: SharedArrayBuffer;
}

export type ToWorker =
  | 'wake'
  | 'stop'
  /** @param asked named in the answer, which comes after all that was said before */
  | { readonly watch?: Uuid; readonly unwatch?: Uuid; readonly asked?: number };
export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'consumed'; readonly sequence: number }
  /** What a step put into the view for watched devices; said before `consumed`. */
  | { readonly kind: 'told'; readonly entries: readonly ToldEntry[] }
  | { readonly kind: 'asked'; readonly asked: number }
  | { readonly kind: 'idle' }
  | { readonly kind: 'failed'; readonly error: string };

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
  /** The worker died, perhaps after a step that it did not tell of. */
  missed(): void;
}

interface Waiter {
  readonly sequence: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

const RESTART_DELAY = 1_000;
/** Megabytes. A step gathers some millions of characters at the most (materialise.ts), and nothing outlives it. */
const WORKER_MEMORY = { maxYoungGenerationSizeMb: 16, maxOldGenerationSizeMb: 512 };
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
  #closed = false;

  constructor(
    private readonly environment: Omit<WorkerData, 'idle'>,
    private readonly log: LogEnd,
    private readonly feed: FeedEar,
    private consumedUpTo: number,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  consumed(): number {
    return this.consumedUpTo;
  }

  watch(deviceId: Uuid): void {
    this.#watched.add(deviceId);
    this.#worker?.postMessage({ watch: deviceId } satisfies ToWorker);
  }

  unwatch(deviceId: Uuid): void {
    this.#watched.delete(deviceId);
    this.#worker?.postMessage({ unwatch: deviceId } satisfies ToWorker);
  }

  told(): Promise<void> {
    const worker = this.#worker;
    // The next one knows what is watched before its first step.
    if (!worker) return Promise.resolve();
    this.#asked++;
    const asked = this.#asked;
    return new Promise((resolve) => {
      this.#asking.set(asked, resolve);
      worker.postMessage({ asked } satisfies ToWorker);
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
    for (const { reject } of this.#waiting.splice(0)) reject(closedError());
  }

  caughtUp(): Promise<void> {
    const sequence = this.log.newest;
    if (this.consumedUpTo >= sequence) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ sequence, resolve, reject }));
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
    for (const watch of this.#watched) worker.postMessage({ watch } satisfies ToWorker);
    return new Promise((resolve, reject) => {
      let ran = false;
      worker.on('message', (message: FromWorker) => {
        if (message.kind !== 'ready') return this.#hear(message);
        ran = true;
        worker.postMessage('wake' satisfies ToWorker);
        resolve();
      });
      worker.on('error', (error) => {
        this.logger.error('materialiser died', { error: String(error) });
        reject(error);
      });
      worker.on('exit', (code) => {
        this.#worker = undefined;
        this.#unheard();
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
    if (message.kind === 'consumed') {
      this.consumedUpTo = message.sequence;
      this.log.refresh();
      while (this.#waiting[0] && this.#waiting[0].sequence <= message.sequence) this.#waiting.shift()?.resolve();
    } else if (message.kind === 'told') {
      this.log.refresh();
      this.feed.telemetry(message.entries);
    } else if (message.kind === 'asked') {
      this.#asking.get(message.asked)?.();
      this.#asking.delete(message.asked);
    } else if (message.kind === 'idle') {
      // An entry that was committed between the worker's last look and its flag would wait for the next one.
      if (this.consumedUpTo < this.log.newest) this.wake();
    } else if (message.kind === 'failed') {
      this.logger.error('materialiser step failed', { error: message.error });
      this.#again(() => this.#worker?.postMessage('wake' satisfies ToWorker));
    }
  }

  #again(action: () => void): void {
    if (!this.#stopping) this.#retry = this.clock.setTimer(RESTART_DELAY, action);
  }
}

const closedError = () => new TandemError('STORE_UNAVAILABLE', { message: 'The store is closed' });
