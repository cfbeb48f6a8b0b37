import {
  type EpochMillis,
  type KeyValue,
  parseCanonicalObject,
  renderObject,
  type TelemetryEntry,
  type TelemetryRecord,
  type Uuid,
} from '@tandem/core';

const UUID_LENGTH = 36;

/**
 * A log entry as text: the device's id, then for each record a line break, its timestamp, a space and its values as a
 * JSON object. Canonical JSON has no raw line break, so lines need no escaping.
 */
export function encodeEntry({ deviceId, records }: TelemetryEntry): string {
  let text: string = deviceId;
  for (const { ts, values } of records) text += `\n${ts} ${renderObject(values)}`;
  return text;
}

/** Between two entries of a row: canonical JSON escapes control characters. */
const SEPARATOR = '\x1e';

export const joinEntries = (entries: readonly string[]): string => entries.join(SEPARATOR);
export const splitEntries = (row: string): string[] => row.split(SEPARATOR);

export const entryDevice = (text: string): Uuid => text.slice(0, UUID_LENGTH);

export function* entryRecords(text: string): Generator<TelemetryRecord> {
  for (const line of text.slice(UUID_LENGTH + 1).split('\n')) {
    const space = line.indexOf(' ');
    const ts: EpochMillis = Number(line.slice(0, space));
    const values: KeyValue[] = parseCanonicalObject(line.slice(space + 1));
    yield { ts, values };
  }
}
