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

/** A change of shared attributes. Its `offset` is the position after it: reading from there gives what follows. */
export interface AttributeEvent {
  readonly offset: number;
  readonly ts: EpochMillis;
  readonly updated: readonly KeyValue[];
  readonly deleted: readonly string[];
}

export type EventsRead =
  | { readonly kind: 'events'; readonly epoch: string; readonly events: readonly AttributeEvent[] }
  /** The log no longer reaches back to the position: read the full state instead. `kept` is what the log still has. */
  | { readonly kind: 'gap'; readonly head: Position; readonly kept: readonly AttributeEvent[] };

/** Why a waiter is woken. Only a hint: the log and the RPC store are the truth. */
export type Wake = 'attributes' | 'rpc';

/**
 * The bounded log of shared-attribute events of each device, the wake-ups of its waiters, and the cursor that HTTP polls
 * leave between two requests (contract 1.5.3, design section 2).
 */
export interface DeviceEvents {
  /** The position after the newest event. */
  head(deviceId: Uuid): Promise<Position>;
  /** At most `limit` events after the position, oldest first. */
  read(deviceId: Uuid, after: Position, limit: number): Promise<EventsRead>;
  /**
   * Called after a change of the device is readable. Listeners of one process hear it in the order of the writes. A store
   * that can lose a wake-up also calls after every reconnect and on a slow timer: a listener re-reads and may find nothing.
   */
  watch(deviceId: Uuid, listener: (wake: Wake) => void): () => void;

  /** The cursor, unless it has lapsed. */
  getCursor(deviceId: Uuid, now: EpochMillis): Promise<Position | undefined>;
  /** Never moves back within an epoch: of two polls that end, the further one counts. Lapses `ttl` after `now`. */
  setCursor(deviceId: Uuid, position: Position, now: EpochMillis, ttl: Millis): Promise<void>;
}
