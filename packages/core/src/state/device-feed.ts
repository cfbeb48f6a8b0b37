import type { Uuid } from '../devices/model';
import type { KeyValue } from '../payload/value';
import type { EpochMillis } from '../platform/clock';
import type { AttributeScope } from './attribute-store';
import type { TelemetryRecord } from './telemetry-log';

/** Something that was written about a device. `at` counts what a watch hears: see {@link FeedWatch.mark}. */
export type FeedChange =
  /** One accepted telemetry message, which is in the view now: its records in the order they came in. */
  | { readonly kind: 'telemetry'; readonly at: number; readonly records: readonly TelemetryRecord[] }
  /** One save of attributes. */
  | {
      readonly kind: 'saved';
      readonly at: number;
      readonly scope: AttributeScope;
      readonly entries: readonly KeyValue[];
      readonly ts: EpochMillis;
    }
  /** One deletion of attributes: the keys that were there. */
  | {
      readonly kind: 'deleted';
      readonly at: number;
      readonly scope: AttributeScope;
      readonly keys: readonly string[];
      readonly ts: EpochMillis;
    };

export type FeedMessage = FeedChange | FeedNotice;

export type FeedNotice =
  /** Something may have gone by unheard, or the latest value of telemetry was deleted: whoever listens reads the state, and finds out what differs. */
  | { readonly kind: 'missed' }
  /** The device is gone. What was written before may still be heard. */
  | { readonly kind: 'gone' };

type WithoutCount<T> = T extends unknown ? Omit<T, 'at'> : never;

/** As whoever makes it knows it. */
export type UncountedChange = WithoutCount<FeedChange>;
export type UncountedMessage = UncountedChange | FeedNotice;

export interface FeedWatch {
  /**
   * Ties what is heard to what is read. Resolves with the `at` of the change that was heard last: every change up to it is
   * there to be read by now, and every other one that is heard later was not there yet when this was called. So of what is
   * heard around a read, the read has all up to the mark before it, nothing behind the mark after it, and of those in
   * between it has the first ones, so far as whoever compares can tell. The first mark resolves when the watch hears.
   * @throws TandemError STORE_UNAVAILABLE
   */
  mark(): Promise<number>;
  /** Nothing is heard any more, at once also when it is called while listeners are being told. */
  leave(): void;
}

/**
 * What is written about single devices, by whatever process, as it is written: for those who show a device live. Nothing is
 * lost silently, and a device that nobody watches costs next to nothing.
 */
export interface DeviceFeed {
  /**
   * Tells every accepted telemetry message once it is in the view, every save and every deletion of attributes of every
   * scope, those that the connectivity of the device writes included, and its end. Changes of one kind are heard in the
   * order in which they were made, and are there to be read then. A save of nothing, and the deletion of what is not
   * there, are no changes. Where the answer of a write got lost and it was done again, it may be heard twice.
   * A listener that throws harms neither the write nor other listeners: it is logged, and hears `missed`.
   */
  watch(deviceId: Uuid, listener: (message: FeedMessage) => void): FeedWatch;
}
