import { TandemError, type TelemetryEntry, type TelemetryLog } from '@tandem/core';
import { encodeEntry, joinEntries } from './entry-codec';
import type { Durability, ViewEnvironment } from './environment';
import type { LogEnvironment } from './log-environment';
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
}

const RETRY_AFTER = 1_000;
/** Bounds of one row: what arrives beyond them in the same turn of the event loop begins another one. */
const MAX_ROW_ENTRIES = 1_000;
const MAX_ROW_CHARACTERS = 1_000_000;

/** Messages of one turn of the event loop, which become one row. They share the promise of its commit. */
class PendingRow {
  readonly texts: string[] = [];
  characters = 0;
  settle!: (failure?: TandemError) => void;
  readonly committed = new Promise<void>((resolve, reject) => {
    this.settle = (failure) => (failure ? reject(failure) : resolve());
  });
}

export class EmbeddedTelemetryLog implements TelemetryLog {
  /** Sequence number of the newest entry that is in the log. */
  #newest: number;
  /** The last sequence number that was given to a row. */
  #named: number;
  #inFlight = 0;
  #row: PendingRow | undefined;

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
      return Promise.reject(new TandemError('BACKLOG_FULL', { retryAfter: RETRY_AFTER }));
    }
    let row = this.#row;
    if (!row) {
      const refused = this.transactions.enter();
      if (refused) return Promise.reject(refused);
      row = new PendingRow();
      this.#row = row;
      setImmediate(this.#flush);
    }
    const text = encodeEntry(entry);
    row.texts.push(text);
    row.characters += text.length;
    this.#inFlight++;
    const { committed } = row;
    if (row.texts.length >= MAX_ROW_ENTRIES || row.characters >= MAX_ROW_CHARACTERS) this.#flush();
    return committed;
  }

  backlog(): number {
    return this.#inFlight + Math.max(0, this.#newest - this.consumer.consumed());
  }

  get newest(): number {
    return this.#newest;
  }

  readonly #flush = (): void => {
    const row = this.#row;
    if (!row) return;
    this.#row = undefined;
    const count = row.texts.length;
    // A row is named by its last entry, so that the difference of two names counts entries. No name is given twice.
    this.#named += count;
    const sequence = this.#named;
    const write = () => this.env.telemetryLog.put(sequence, joinEntries(row.texts));
    const done = () => {
      this.#newest = Math.max(this.#newest, sequence);
      this.#done(row, count);
    };
    if (this.options.durability === 'power') {
      // Waits for the disk.
      write().then(done, (error: unknown) => this.#done(row, count, storeFailure(error)));
      return;
    }
    try {
      // Nothing is flushed, so this is a handful of writes into the system's cache: cheaper than handing it to a thread.
      // Nothing is returned: lmdb would wait for the promise of the put and commit later, without us.
      this.env.root.transactionSync(() => {
        write();
      });
    } catch (error) {
      this.#done(row, count, storeFailure(error));
      return;
    }
    done();
  };

  #done(row: PendingRow, count: number, failure?: TandemError): void {
    this.#inFlight -= count;
    this.transactions.leave();
    row.settle(failure);
    this.consumer.wake();
  }
}

/** The log may be empty because all of it was consumed: numbers still go on from there. */
function lastSequence(env: LogEnvironment, consumed: number): number {
  const [newest] = env.telemetryLog.getKeys({ reverse: true, limit: 1 });
  return Math.max(Number(newest ?? 0), consumed);
}

export const consumedSequence = (view: ViewEnvironment): number => Number(view.meta.get('consumed') ?? 0);
