import type { Uuid } from '../devices/model';
import type { KeyValue } from '../payload/value';
import type { EpochMillis, Millis } from '../platform/clock';

/**
 * A place in a device's event log. `offset` counts events; `epoch` names the life of the log: a position of another
 * epoch belongs to a log that is gone.
 */
export interface Position {
  readonly epoch: string;
  readonly offset: number;
}

/** The epoch that stands for no log: the device is not there, or not any more. */
export const NO_LOG_EPOCH = '-';

/** A change of shared attributes. Its `offset` is the position after it: reading from there gives what follows. */
export interface AttributeEvent {
  readonly offset: number;
  readonly ts: EpochMillis;
  readonly updated: readonly KeyValue[];
  readonly deleted: readonly string[];
  /** The `traceparent` it was written with, where there was one. */
  readonly trace?: string;
}

export type EventsRead =
  | { readonly kind: 'events'; readonly epoch: string; readonly events: readonly AttributeEvent[] }
  /**
   * The log does not reach the position: it is older than the oldest event that is kept, beyond the head, or of another
   * epoch. Read the full state instead. `kept` is all that the log still has, oldest first.
   */
  | { readonly kind: 'gap'; readonly head: Position; readonly kept: readonly AttributeEvent[] };

/** Why a waiter is woken. Only a hint: the log and the RPC store are the truth. */
export type Wake = ObservedKind | 'observer';

/** What an observation tells the device. */
export type ObservedKind = (typeof OBSERVED_KINDS)[number];
export const OBSERVED_KINDS = ['attributes', 'rpc'] as const;

/**
 * The bounded log of shared-attribute events of each device, the wake-ups of its waiters, and the cursor that HTTP polls
 * leave between two requests (contract 1.5.3, design section 2).
 */
export interface DeviceEvents {
  /** The position after the newest event. The log of a device that is not there is empty, of the epoch `-`. */
  head(deviceId: Uuid): Promise<Position>;
  /** At most `limit` events after the position, oldest first. */
  read(deviceId: Uuid, after: Position, limit: number): Promise<EventsRead>;
  /**
   * Called after a change of the device is readable. Listeners of one process hear it in the order of the writes. A store
   * that can lose a wake-up also calls, with every kind, after each reconnect and on a slow timer: a listener re-reads and
   * may find nothing. Changes made by this process are heard before the write resolves. What is read of the device after
   * this call either shows a change or its wake-up follows. A listener that throws harms neither the write nor other
   * listeners: it is logged.
   * @returns stops listening, at once also when it is called while listeners are being woken
   */
  watch(deviceId: Uuid, listener: (wake: Wake) => void): () => void;

  /** The cursor, unless it has lapsed. */
  getCursor(deviceId: Uuid, now: EpochMillis): Promise<Position | undefined>;
  /**
   * Never moves back until it has lapsed: of two polls that end, the further one counts, and where it was there before,
   * the later of their lapses.
   * Lapses `ttl` after `now`. A position of an epoch that is not the log's is ignored.
   */
  setCursor(deviceId: Uuid, position: Position, now: EpochMillis, ttl: Millis): Promise<void>;

  /**
   * Makes `observer` the one observation of this kind, over all processes, and wakes (`observer`) the former one, which ends
   * when it finds another name here (contract 2.6.1). Nothing for a device that is gone.
   * @param observer a name that nobody else uses
   */
  setObserver(deviceId: Uuid, kind: ObservedKind, observer: string): Promise<void>;
  getObserver(deviceId: Uuid, kind: ObservedKind): Promise<string | undefined>;
}
