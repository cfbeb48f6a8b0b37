import { parseCanonicalObject } from '../payload/canonical-object';
import { renderObject } from '../payload/value';
import type { EpochMillis } from '../platform/clock';
import type { RecordLines, TelemetryRecord } from '../state/telemetry-log';

export function encodeRecords(records: readonly TelemetryRecord[]): RecordLines {
  let text = '';
  for (const { ts, values } of records) text += `${text === '' ? '' : '\n'}${recordLine(ts, renderObject(values))}`;
  return text as RecordLines;
}

/** The lines of a message with one record. @param values what `renderObject` would make of them */
export const recordLine = (ts: EpochMillis, values: string): RecordLines => `${ts} ${values}` as RecordLines;

/** @throws TandemError INTERNAL when the text is not of that form */
export function* decodeRecords(lines: string): Generator<TelemetryRecord> {
  for (const line of lines.split('\n')) {
    const space = line.indexOf(' ');
    yield { ts: Number(line.slice(0, space)), values: parseCanonicalObject(line.slice(space + 1)) };
  }
}
