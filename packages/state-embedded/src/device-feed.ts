import {
  CountedListener,
  type DeviceFeed,
  decodeRecords,
  type FeedMessage,
  type FeedWatch,
  type Logger,
  MultiMap,
  type UncountedChange,
  type UncountedMessage,
  type Uuid,
} from '@tandem/core';
import type { ToldEntry } from './materialise';
import type { Transactions } from './transactions';

/** The worker thread that puts telemetry into the view: it tells of the devices that it knows to be watched. */
export interface TelemetryTeller {
  watch(deviceId: Uuid): void;
  unwatch(deviceId: Uuid): void;
  /** Resolves when it knows what it was told to watch, and all that it has told was heard. */
  told(): Promise<void>;
}

/** Notes a change of attributes. To be called within the transaction that makes it. */
export type Note = (deviceId: Uuid, change: UncountedChange) => void;

/** Changes of attributes are told here once their transaction is written, telemetry by the worker thread after its step. */
export class EmbeddedFeed implements DeviceFeed {
  readonly #watches = new MultiMap<Uuid, CountedListener>();

  constructor(
    private readonly transactions: Transactions,
    private readonly teller: TelemetryTeller,
    private readonly logger: Logger,
  ) {}

  /** How many devices are watched. */
  get size(): number {
    return this.#watches.size;
  }

  watch(deviceId: Uuid, listener: (message: FeedMessage) => void): FeedWatch {
    const counted = new CountedListener(listener, this.logger);
    if (this.#watches.of(deviceId).length === 0) this.teller.watch(deviceId);
    this.#watches.add(deviceId, counted);
    return {
      mark: async () => {
        await Promise.all([this.transactions.settled(), this.teller.told()]);
        // Whoever waited for a transaction before us tells of it in this turn.
        await new Promise(setImmediate);
        return counted.heard;
      },
      leave: () => {
        if (this.#watches.delete(deviceId, counted)) this.teller.unwatch(deviceId);
      },
    };
  }

  /**
   * Runs `step` as one transaction, and tells what it noted once that is written.
   * @throws TandemError STORE_UNAVAILABLE
   */
  async write<T>(step: (note: Note) => T): Promise<T> {
    const noted: { readonly deviceId: Uuid; readonly change: UncountedChange }[] = [];
    const result = await this.transactions.run(() =>
      step((deviceId, change) => {
        // Whoever begins to watch meanwhile reads it: the first mark waits for this transaction.
        if (this.#watches.size > 0) noted.push({ deviceId, change });
      }),
    );
    for (const { deviceId, change } of noted) this.#tell(deviceId, change);
    return result;
  }

  /** What a step of the worker put into the view, which shows it by now. */
  telemetry(entries: readonly ToldEntry[]): void {
    for (const { deviceId, lines } of entries) {
      if (this.#watches.of(deviceId).length === 0) continue;
      try {
        this.#tell(deviceId, { kind: 'telemetry', records: [...decodeRecords(lines)] });
      } catch (error) {
        this.logger.error('telemetry that cannot be read was not told', { deviceId, error: String(error) });
      }
    }
  }

  /** Of telemetry: what is known of it may be no more. */
  deleted(deviceId: Uuid): void {
    this.#tell(deviceId, { kind: 'missed' });
  }

  /** The worker died, perhaps after a step that it did not tell of. */
  missed(): void {
    for (const deviceId of [...this.#watches.keys()]) this.#tell(deviceId, { kind: 'missed' });
  }

  gone(deviceId: Uuid): void {
    this.#tell(deviceId, { kind: 'gone' });
  }

  /** Whoever watches and fails harms nobody: the change is made. */
  #tell(deviceId: Uuid, message: UncountedMessage): void {
    for (const listener of this.#watches.of(deviceId)) {
      if (this.#watches.has(deviceId, listener)) listener.hear(message);
    }
  }
}
