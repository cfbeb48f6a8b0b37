import { TandemError, type TelemetryEntry, type TelemetryLog } from '@tandem/core';
import { encodeEntry } from './entry-codec';
import type { ViewEnvironment } from './environment';
import type { LogEnvironment } from './log-environment';
import { storeFailure, type Transactions } from './transactions';

export interface LogConsumer {
  /** Sequence number of the last entry that was taken out of the log. */
  consumed(): number;
  /** There is something new. */
  wake(): void;
}

export interface LogLimits {
  /** Messages that may wait for the consumer. */
  readonly backlogMax: number;
  /** Sequence number of the last entry the consumer had taken when the store was opened. */
  readonly consumed: number;
}

const RETRY_AFTER = 1_000;

export class EmbeddedTelemetryLog implements TelemetryLog {
  #next: number;
  #newest: number;
  #inFlight = 0;

  constructor(
    private readonly env: LogEnvironment,
    private readonly transactions: Transactions,
    private readonly consumer: LogConsumer,
    private readonly limits: LogLimits,
  ) {
    this.#newest = lastSequence(env, limits.consumed);
    this.#next = this.#newest + 1;
  }

  append(entry: TelemetryEntry): Promise<void> {
    if (this.backlog() >= this.limits.backlogMax)
      return Promise.reject(new TandemError('BACKLOG_FULL', { retryAfter: RETRY_AFTER }));
    const refused = this.transactions.enter();
    if (refused) return Promise.reject(refused);
    const sequence = this.#next++;
    this.#inFlight++;
    // No async function: this is the path of every message.
    return this.env.telemetryLog.put(sequence, encodeEntry(entry)).then(
      () => {
        if (sequence > this.#newest) this.#newest = sequence;
        this.#settled();
        this.consumer.wake();
      },
      (error: unknown) => {
        this.#settled();
        throw storeFailure(error);
      },
    );
  }

  #settled(): void {
    this.#inFlight--;
    this.transactions.leave();
  }

  backlog(): number {
    return this.#inFlight + Math.max(0, this.#newest - this.consumer.consumed());
  }

  /** Sequence number of the newest entry that is in the log. */
  get newest(): number {
    return this.#newest;
  }
}

/** The log may be empty because all of it was consumed: numbers still go on from there. */
function lastSequence(env: LogEnvironment, consumed: number): number {
  const [newest] = env.telemetryLog.getKeys({ reverse: true, limit: 1 });
  return Math.max(Number(newest ?? 0), consumed);
}

export const consumedSequence = (view: ViewEnvironment): number => Number(view.meta.get('consumed') ?? 0);
