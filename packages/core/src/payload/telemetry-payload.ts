import type { EpochMillis } from '../platform/clock';
import type { RecordLines, TelemetryRecord } from '../state/telemetry-log';
import { encodeRecords, recordLine } from '../telemetry/record-lines';
import { badPayload, cannotParseValue } from './bad-payload';
import { parseDecimal, wholeDigits } from './decimal';
import { countCanonicalMembers } from './flat-object';
import { isJsonArray, type JsonNode, JsonNumber, JsonObject } from './json-node';
import { readJson } from './json-reader';
import { numberInString } from './number-in-string';
import { withoutSpaces } from './spaced-object';
import { type PayloadSettings, typeMembers } from './typing';

export interface ParsedTelemetry {
  /** In the order of the payload; none is without values. Empty when there is no value at all. */
  readonly lines: RecordLines;
  /** Key-value pairs in the lines. */
  readonly points: number;
  /** Keys that were blank or too long to be kept (contract 3.5). */
  readonly droppedKeys: number;
}

/**
 * A telemetry body: `{"key":value,...}`, `{"ts":...,"values":{...}}` or an array of such objects (contract 3.2). One
 * bad element, and nothing of the body counts.
 * @param source UTF-8; what is not becomes replacement characters
 * @param now what a record without a timestamp of its own gets
 * @throws TandemError BAD_PAYLOAD
 */
export function parseTelemetry(source: Buffer | string, now: EpochMillis, settings: PayloadSettings): ParsedTelemetry {
  const text = source.toString();
  return asItStands(text, now, settings) ?? spaced(text, now, settings) ?? readTelemetry(text, now, settings);
}

/** Canonical already: undefined where it is not. */
function asItStands(text: string, now: EpochMillis, settings: PayloadSettings): ParsedTelemetry | undefined {
  const points = countCanonicalMembers(text, settings);
  return points === 0 ? undefined : { lines: recordLine(now, text), points, droppedKeys: 0 };
}

/** Canonical but for its spaces: undefined where it is not. */
function spaced(text: string, now: EpochMillis, settings: PayloadSettings): ParsedTelemetry | undefined {
  const compact = withoutSpaces(text);
  return compact === undefined ? undefined : asItStands(compact, now, settings);
}

/** As {@link parseTelemetry}, member by member whatever the text looks like. */
export function readTelemetry(text: string, now: EpochMillis, settings: PayloadSettings): ParsedTelemetry {
  const root = readJson(text);
  const records: TelemetryRecord[] = [];
  let points = 0;
  let droppedKeys = 0;
  for (const element of isJsonArray(root) ? root : [root]) {
    if (!(element instanceof JsonObject)) throw cannotParseValue(element);
    const ts = element.get('ts');
    const values = ts === undefined ? undefined : element.get('values');
    const timestamped = ts !== undefined && values !== undefined;
    if (timestamped && !(values instanceof JsonObject)) throw badPayload('`values` is not an object');
    const typed = typeMembers(values instanceof JsonObject ? values : element, settings);
    const recordTs = timestamped ? timestamp(ts) : now;
    droppedKeys += typed.droppedKeys;
    points += typed.entries.length;
    if (typed.entries.length > 0) records.push({ ts: recordTs, values: typed.entries });
  }
  return { lines: encodeRecords(records), points, droppedKeys };
}

/** Digits of 2^53 - 1: longer numbers cannot be told from their neighbours and are refused before they are made. */
const MAX_TIMESTAMP_DIGITS = 16;

/** @param node the member `ts` of a record (contract 3.2). @throws TandemError BAD_PAYLOAD */
export function timestamp(node: JsonNode): EpochMillis {
  let form = node;
  while (isJsonArray(form) && form.length === 1) form = form[0] ?? null;
  if (typeof form === 'number') return form;
  const text = form instanceof JsonNumber ? form.text : typeof form === 'string' ? numberInString(form) : undefined;
  if (text === undefined) throw badPayload('`ts` is not a number of milliseconds');
  if (typeof form === 'string' && form.includes('.')) {
    throw badPayload('`ts` is a string that is not a whole number of milliseconds');
  }
  const decimal = parseDecimal(text);
  const outOfRange = decimal.digits !== '0' && decimal.digits.length - decimal.scale > MAX_TIMESTAMP_DIGITS;
  const whole = outOfRange ? Number.POSITIVE_INFINITY : Number(wholeDigits(decimal));
  if (whole > Number.MAX_SAFE_INTEGER) throw badPayload('`ts` is beyond the range of plus and minus 2^53 - 1');
  return decimal.negative && whole !== 0 ? -whole : whole;
}
