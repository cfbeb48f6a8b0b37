import { parseCanonicalObject } from '../payload/canonical-object';
import { renderObject } from '../payload/value';
import type { TelemetryRecord } from '../state/telemetry-log';

/**
 * The records of a message as text, the form in which both stores keep them in the log: a line for each, `<ts> <values as a
 * JSON object>`. Canonical JSON has no raw line break, so lines need no escaping.
 */
export function encodeRecords(records: readonly TelemetryRecord[]): string {
  let text = '';
  for (const { ts, values } of records) text += `${text === '' ? '' : '\n'}${ts} ${renderObject(values)}`;
  return text;
}

/** @throws TandemError INTERNAL when the text is not of that form */
export function* decodeRecords(text: string): Generator<TelemetryRecord> {
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ');
    yield { ts: Number(line.slice(0, space)), values: parseCanonicalObject(line.slice(space + 1)) };
  }
}
