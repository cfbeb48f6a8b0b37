import type { Uuid } from '../devices/model';
import type { KeyValue } from '../payload/value';
import type { EpochMillis } from '../platform/clock';

/** Values that share one timestamp. */
export interface TelemetryRecord {
  readonly ts: EpochMillis;
  readonly values: readonly KeyValue[];
}

/** One accepted message of one device: what an acknowledgement stands for. */
export interface TelemetryEntry {
  readonly deviceId: Uuid;
  readonly records: readonly TelemetryRecord[];
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
