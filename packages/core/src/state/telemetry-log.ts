import type { Uuid } from '../devices/model';
import type { KeyValue } from '../payload/value';
import type { EpochMillis } from '../platform/clock';

/** Values that share one timestamp. */
export interface TelemetryRecord {
  readonly ts: EpochMillis;
  readonly values: readonly KeyValue[];
}

declare const linesBrand: unique symbol;

/**
 * The records of a message as text, the form in which both stores keep them in the log: a line for each, `<ts> <values as a
 * JSON object>`. Canonical JSON has no raw line break, so lines need no escaping. See record-lines.ts.
 */
export type RecordLines = string & { readonly [linesBrand]: true };

/** One accepted message of one device: what an acknowledgement stands for. */
export interface TelemetryEntry {
  readonly deviceId: Uuid;
  readonly lines: RecordLines;
  /**
   * When its points leave the history: the first sweep of the retention after that removes what the series has at their
   * times. Undefined for those that stay.
   */
  readonly expiresAt?: EpochMillis;
}

/** The ordered log every accepted telemetry message goes through. */
export interface TelemetryLog {
  /**
   * Resolves when the entry survives what TANDEM_DURABILITY names. Rejects with BACKLOG_FULL when the limit is reached
   * and with STORE_UNAVAILABLE when it cannot be written. A rejected entry is not in the log, but for one whose store
   * stopped answering: nobody knows. An accepted one is there once, however often it had to be sent to the store. An entry
   * of a device that is not there is accepted and leaves nothing in the view.
   */
  append(entry: TelemetryEntry): Promise<void>;
  /** Entries, accepted or about to be, that have not been consumed yet. */
  backlog(): number;
}
