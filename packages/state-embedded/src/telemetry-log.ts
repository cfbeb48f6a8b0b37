import { type Counter, TandemError, type TelemetryEntry, type TelemetryLog } from '@tandem/core';
import { encodeEntry } from './entry-codec';
import type { Durability, ViewEnvironment } from './environment';
import type { LogEnvironment } from './log-environment';
import { PendingRows } from './pending-rows';
import { storeFailure, type Transactions } from './transactions';

export interface LogConsumer {
  /** Sequence number of the last entry that was taken out of the log. */
  consumed(): number;
  /** There is something new. */
  wake(): void;
}

export interface LogOptions {
  /** Messages that may wait for the consumer. */
  readonly backlogMax: number;
  readonly durability: Durability;
  /** Sequence number of the last entry the consumer had taken when the store was opened. */
  readonly consumed: number;
  /** Messages that are refused for being more than may wait. */
  readonly refused: Counter;
}

const RETRY_AFTER = 1_000;
/** Bounds of one transaction: what arrives beyond them in the same turn of the event loop goes into the next one. */
const MAX_ENTRIES = 1_000;
const MAX_BYTES = 1_000_000;

/** The promise that the messages of one transaction share. */
class Commit {
  settle!: (failure?: TandemError) => void;
  readonly done = new Promise<void>((resolve, reject) => {
    this.settle = (failure) => (failure ? reject(failure) : resolve());
  });
}

export class EmbeddedTelemetryLog implements TelemetryLog {
  /** Sequence number of the newest entry that is in the log. */
  #newest: number;
  /** The last sequence number that was given to a row. */
  #named: number;
  #inFlight = 0;
  /** Messages of this turn of the event loop. */
  readonly #pending = new PendingRows();
  /** Theirs; undefined while there are none. */
  #commit: Commit | undefined;

  constructor(
    private readonly env: LogEnvironment,
    private readonly transactions: Transactions,
    private readonly consumer: LogConsumer,
    private readonly options: LogOptions,
  ) {
    this.#newest = lastSequence(env, options.consumed);
    this.#named = this.#newest;
  }

  append(entry: TelemetryEntry): Promise<void> {
    if (this.backlog() >= this.options.backlogMax) {
      this.options.refused.add();
      return Promise.reject(new TandemError('BACKLOG_FULL', { retryAfter: RETRY_AFTER }));
    }
    const text = encodeEntry(entry);
    if (!this.#commit) {
      const refused = this.transactions.enter();
      if (refused) return Promise.reject(refused);
      this.#commit = new Commit();
      setImmediate(this.#flush);
    }
    const { done } = this.#commit;
    const pending = this.#pending;
    pending.add(text);
    this.#inFlight++;
    if (pending.entries >= MAX_ENTRIES || pending.length >= MAX_BYTES) this.#flush();
    return done;
  }

  backlog(): number {
    return this.#inFlight + Math.max(0, this.#newest - this.consumer.consumed());
  }

  get newest(): number {
    return this.#newest;
  }

  readonly #flush = (): void => {
    const commit = this.#commit;
    if (!commit) return;
    this.#commit = undefined;
    const pending = this.#pending;
    const count = pending.entries;
    const before = this.#named;
    this.#named += count;
    const newest = this.#named;
    if (this.options.durability === 'power') {
      // Waits for the disk, while the next rows are gathered. What is put in one turn is one transaction of lmdb.
      const puts: Promise<boolean>[] = [];
      this.#put(before, (sequence, bytes) => puts.push(this.#putRow(sequence, Buffer.from(bytes))));
      pending.clear();
      Promise.all(puts).then(
        () => this.#written(commit, newest, count),
        (error: unknown) => this.#done(commit, count, storeFailure(error)),
      );
      return;
    }
    try {
      // Nothing is flushed, so this is a handful of writes into the system's cache: cheaper than handing it to a thread.
      // Nothing is returned: lmdb would wait for the promise of the put and commit later, without us.
      this.env.root.transactionSync(() => {
        this.#put(before, (sequence, bytes) => void this.#putRow(sequence, bytes));
      });
    } catch (error) {
      pending.clear();
      this.#done(commit, count, storeFailure(error));
      return;
    }
    pending.clear();
    this.#written(commit, newest, count);
  };

  /** A row is named by its last entry, so that the difference of two names counts entries. No name is given twice. */
  #put(before: number, put: (sequence: number, bytes: Buffer) => void): void {
    let sequence = before;
    this.#pending.forEach((bytes, entries) => {
      sequence += entries;
      put(sequence, bytes);
    });
  }

  /** lmdb takes the bytes of a text for the text, though its types do not say so. */
  #putRow(sequence: number, bytes: Buffer): Promise<boolean> {
    return this.env.telemetryLog.put(sequence, bytes as unknown as string);
  }

  #written(commit: Commit, sequence: number, count: number): void {
    this.#newest = Math.max(this.#newest, sequence);
    this.#done(commit, count);
  }

  #done(commit: Commit, count: number, failure?: TandemError): void {
    this.#inFlight -= count;
    this.transactions.leave();
    commit.settle(failure);
    this.consumer.wake();
  }
}

/** The log may be empty because all of it was consumed: numbers still go on from there. */
function lastSequence(env: LogEnvironment, consumed: number): number {
  const [newest] = env.telemetryLog.getKeys({ reverse: true, limit: 1 });
  return Math.max(Number(newest ?? 0), consumed);
}

export const consumedSequence = (view: ViewEnvironment): number => Number(view.meta.get('consumed') ?? 0);
