import type { LogFields, Millis } from '@tandem/core';
import type { ConnectionSettings } from '../client';
import type { RedisBounds } from '../options';

/** What the materialiser's thread is made with: plain data. */
export interface WorkerData {
  readonly connection: ConnectionSettings;
  readonly bounds: Pick<RedisBounds, 'prefix' | 'waitReplicas' | 'timeout' | 'historyMax' | 'consumerGroupTtl'>;
  readonly processId: string;
  /** Streams of the log, as far as this process knows. */
  readonly partitions: number;
  /** How long a partition stays ours when nothing is heard of us. */
  readonly lease: Millis;
  /** How often what was left out of the view is tried again. */
  readonly retryInterval: Millis;
  /** One Int32: 1 while the worker waits to be woken. */
  readonly idle: SharedArrayBuffer;
}

/** `hurry`: somebody waits for the view, so that there is no rest between two steps. */
export type ToWorker = 'wake' | 'hurry' | 'stop';

export type FromWorker =
  | { readonly kind: 'ready' }
  /** A stream as it is after a step. */
  | { readonly kind: 'moved'; readonly partition: number; readonly newestId: string; readonly length: number }
  /** Consumer groups of other programs have been ended. */
  | { readonly kind: 'expired'; readonly groups: number }
  /** Entries were left out of the view and kept. */
  | { readonly kind: 'left-out'; readonly entries: number }
  | {
      readonly kind: 'log';
      readonly level: 'error' | 'warn' | 'info';
      readonly message: string;
      readonly fields: LogFields;
    };
