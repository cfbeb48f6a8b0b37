import type { Uuid } from '../devices/model';
import type { Value } from '../payload/value';
import type { EpochMillis } from '../platform/clock';
import type { MaterialiserCondition } from './materialiser-condition';

export interface TelemetryPoint {
  readonly ts: EpochMillis;
  readonly value: Value;
}

export interface HistoryQuery {
  /** Inclusive. */
  readonly startTs: EpochMillis;
  /** Exclusive. */
  readonly endTs: EpochMillis;
  readonly limit: number;
  readonly order: 'ASC' | 'DESC';
}

/** What of a series is deleted. */
export interface Deletion {
  /** Inclusive. */
  readonly startTs: EpochMillis;
  /** Exclusive. */
  readonly endTs: EpochMillis;
  /**
   * What becomes of a latest value whose time is in the range: it stays, it goes, or the newest point of the history before
   * the range comes in its place, if there is one.
   */
  readonly latest: 'keep' | 'remove' | 'rewrite';
}

/**
 * What the materialiser has read from the log: latest values and history. It trails the log by moments. A point is
 * identified by (device, key, ts): applying it twice
 * leaves one, and of two values the one that came last. A point older than the latest goes to history only.
 */
export interface TelemetryView {
  keys(deviceId: Uuid): Promise<string[]>;
  /** In the order of `keys`, each once; keys without data are left out. All keys where undefined. */
  latest(deviceId: Uuid, keys?: readonly string[]): Promise<Map<string, TelemetryPoint>>;
  history(deviceId: Uuid, key: string, query: HistoryQuery): Promise<TelemetryPoint[]>;
  /**
   * One atomic step, or, where the history is long, several, of which the last one is that for the latest value. Of what is
   * in the view: who wants what is still in the log to be deleted as well waits for `Materialiser.caughtUp` first. What comes into the view later stays. Nothing happens where there is nothing.
   * @throws TandemError STORE_UNAVAILABLE
   */
  delete(deviceId: Uuid, key: string, deletion: Deletion): Promise<void>;
}

/**
 * Moves the log into the view, and removes from the history what is too old, too much, or over (`TelemetryEntry.expiresAt`);
 * in the background, once for all processes. Latest values stay until they are replaced or deleted.
 */
export interface Materialiser {
  /** Resolves when it runs, at once when it did. It can be started again after `stop`. */
  start(): Promise<void>;
  /** Resolves when the step that was running has been committed. */
  stop(): Promise<void>;
  /**
   * Resolves when everything that was in the log at the call is in the view, or at least what there was of the device: reads
   * from then on show it. Waits for a materialiser that is stopped; rejects with STORE_UNAVAILABLE when the store is closed.
   */
  caughtUp(deviceId?: Uuid): Promise<void>;
  /**
   * Begins a pass of the retention without waiting for its time; resolves when one that began after the call is through.
   * Waits for a materialiser that is stopped; rejects with STORE_UNAVAILABLE when the store is closed.
   */
  swept(): Promise<void>;
  /** Of this process, whatever others do. */
  condition(): MaterialiserCondition;
}
