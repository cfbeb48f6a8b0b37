import type { Deletion, EpochMillis, Millis, Uuid } from '@tandem/core';
import type { Durability } from './environment';
import type { ToldEntry } from './materialise';
import type { RetentionRules } from './retention';

export interface WorkerData {
  readonly folder: string;
  readonly durability: Durability;
  /** Bytes that stay free on the disk; with less no step is taken. */
  readonly minFreeBytes: number;
  /** Telemetry keys of one device that the view takes. */
  readonly keysMax: number;
  /** Bytes of the largest entry that the view takes; undefined: all that is accepted. */
  readonly entryMax?: number;
  readonly retention: RetentionRules;
  /** From the end of a pass of the retention to the begin of the next. */
  readonly retentionInterval: Millis;
  /** One Int32: 1 while the worker waits to be woken. */
  readonly idle: SharedArrayBuffer;
}

/** Answered by `deleted` with its id. */
export interface DeleteOrder {
  readonly kind: 'delete';
  readonly id: number;
  readonly deviceId: Uuid;
  readonly key: string;
  readonly deletion: Deletion;
}

export interface WatchOrder {
  readonly kind: 'watch';
  readonly watch?: Uuid;
  readonly unwatch?: Uuid;
  /** Named in the answer, which comes after all that was said before. */
  readonly asked?: number;
}

/**
 * `hurry`: somebody waits for the view, so that there is no rest before the next step. `sweep`: a pass of the retention is asked
 * for, the how manyth time.
 */
export type ToWorker =
  | 'wake'
  | 'hurry'
  | 'stop'
  | WatchOrder
  | DeleteOrder
  | { readonly kind: 'sweep'; readonly requests: number };

export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'consumed'; readonly sequence: number }
  /** What a step put into the view for watched devices; said before `consumed`. */
  | { readonly kind: 'told'; readonly entries: readonly ToldEntry[] }
  | { readonly kind: 'asked'; readonly asked: number }
  | { readonly kind: 'idle' }
  | { readonly kind: 'failed'; readonly error: string }
  /** Values that a device has too many keys for. */
  | { readonly kind: 'refused'; readonly deviceId: Uuid; readonly values: number }
  /** A message that is not in the view because of its size. */
  | { readonly kind: 'too-large'; readonly deviceId: Uuid; readonly bytes: number }
  | { readonly kind: 'deleted'; readonly id: number; readonly error?: string }
  /** `progress` of the pass, from 0 to 1; `ended` 0 while it is under way; `removed` points by this step. */
  | {
      readonly kind: 'swept-step';
      readonly progress: number;
      readonly ended: EpochMillis;
      readonly removed: number;
    }
  /** A pass is through that began after so many requests. */
  | { readonly kind: 'swept'; readonly requests: number }
  | { readonly kind: 'sweep-failed'; readonly error: string };
