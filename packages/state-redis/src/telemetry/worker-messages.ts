import type { EpochMillis, LogFields, Millis, Uuid } from '@tandem/core';
import type { ConnectionSettings } from '../client';
import type { RedisBounds } from '../options';

export type WorkerBounds = Pick<
  RedisBounds,
  | 'prefix'
  | 'waitReplicas'
  | 'timeout'
  | 'historyMax'
  | 'historyMaxAge'
  | 'retentionInterval'
  | 'telemetryKeysMax'
  | 'consumerGroupTtl'
>;

/** What the materialiser's thread is made with: plain data. */
export interface WorkerData {
  readonly connection: ConnectionSettings;
  readonly bounds: WorkerBounds;
  readonly processId: string;
  /** Streams of the log, as far as this process knows. */
  readonly partitions: number;
  /** How long a partition stays ours when nothing is heard of us. */
  readonly lease: Millis;
  /** How often what was left out of the view is tried again. */
  readonly retryInterval: Millis;
  /** Bytes of the largest entry of the log that gets into the view. */
  readonly entryMax: number;
  /** One Int32: 1 while the worker waits to be woken. */
  readonly idle: SharedArrayBuffer;
}

/**
 * `hurry`: somebody waits for the view, so that there is no rest between two steps. `sweep`: somebody waits for a pass of the
 * retention.
 */
export type ToWorker = 'wake' | 'hurry' | 'sweep' | 'stop';

export type FromWorker =
  | { readonly kind: 'ready' }
  /** Nothing fails any more, or nothing has: said with the first step of a thread, and after steps that failed. */
  | { readonly kind: 'worked' }
  /** A step has failed; a fault that lasts fails about every second. */
  | { readonly kind: 'failed'; readonly error: string }
  /** A stream as it is after a step. */
  | { readonly kind: 'moved'; readonly partition: number; readonly newestId: string; readonly length: number }
  /** Consumer groups of other programs have been ended. */
  | { readonly kind: 'expired'; readonly groups: number }
  /** Values of a device that has all the keys it may have were passed over. */
  | { readonly kind: 'refused'; readonly deviceId: Uuid; readonly values: number }
  /** `progress` of the retention's pass, from 0 to 1; `ended` 0 while it is under way; `removed` points by this step. */
  | {
      readonly kind: 'swept-step';
      readonly progress: number;
      readonly ended: EpochMillis;
      readonly removed: number;
    }
  /** A message that is not in the view because of its size. */
  | { readonly kind: 'too-large'; readonly deviceId: Uuid; readonly bytes: number }
  /** Entries were left out of the view and kept. */
  | { readonly kind: 'left-out'; readonly entries: number }
  | {
      readonly kind: 'log';
      readonly level: 'error' | 'warn' | 'info';
      readonly message: string;
      readonly fields: LogFields;
    };
