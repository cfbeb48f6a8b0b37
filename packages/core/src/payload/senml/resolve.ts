import { badPayload } from '../bad-payload';
import { isJsonArray, type JsonNode, JsonNumber, JsonObject, renderNode } from '../json-node';
import { MAX_KEY_LENGTH } from '../storable-key';
import { sumOf } from './number-sum';

/** One measurement with what the base fields before it add. */
export interface Measurement {
  readonly name: string;
  readonly unit: string;
  /** Seconds; below 2^28 from now on, else since 1970 (RFC 8428 section 4.5.3). */
  readonly time: number;
  /** JSON text. */
  readonly value: string | undefined;
  /** A JSON number. */
  readonly sum: string | undefined;
}

/** 10 and what drafts had before it; 26 adds units of RFC 8798, of which nothing is kept here (RFC 9100). */
const MAX_VERSION = 10;
const VERSION_WITH_SECONDARY_UNITS = 26;

/**
 * Records of a pack. With a time of its own and both value and sum each is five values of JSON, so that what is made of a pack
 * never has more than a document may have (MAX_VALUES of the reader), nor a pack whose records have no more labels than that.
 */
const MAX_RECORDS = 16_000;
export const TOO_MANY_RECORDS = `Not SenML: the pack has more than ${MAX_RECORDS} records, or labels than fit in as many`;

/** RFC 8428 section 4.5.1. */
const NAME = /^[A-Za-z0-9][-A-Za-z0-9:./_]*$/;
const BASE64URL = /^[-A-Za-z0-9_]*$/;
const BASE_LABEL = /^b(?:n|t|u|v|s|ver)$/;

export const isSenmlName = (name: string): boolean => NAME.test(name);

/**
 * The records of a pack as measurements. Labels that are not known are passed over, unless they end in `_` (RFC 8428 section
 * 4.4). A record of base fields alone measures nothing.
 * @throws TandemError BAD_PAYLOAD: one bad record, and nothing of the pack counts
 */
export function resolvePack(root: JsonNode): Measurement[] {
  if (!isJsonArray(root)) throw badPayload('Not SenML: the pack is not an array');
  if (root.length > MAX_RECORDS) throw badPayload(TOO_MANY_RECORDS);
  const measurements: Measurement[] = [];
  const base: Base = { name: '', unit: '', time: 0, value: undefined, sum: undefined };
  for (const record of root) {
    if (!(record instanceof JsonObject)) throw badPayload('Not SenML: a record is not a map');
    for (const label of record.names) if (label.endsWith('_')) throw bad(label, 'has to be understood, and is not');
    takeBase(record, base);
    if (record.names.every((label) => BASE_LABEL.test(label))) continue;
    measurements.push(measurementOf(record, base));
  }
  return measurements;
}

interface Base {
  name: string;
  unit: string;
  time: number;
  value: string | undefined;
  sum: string | undefined;
}

function takeBase(record: JsonObject, base: Base): void {
  const version = number(record, 'bver');
  if (version !== undefined && !isKnownVersion(Number(version))) throw bad('bver', 'names a version that is not known');
  base.name = shortened(text(record, 'bn') ?? base.name);
  base.unit = shortened(text(record, 'bu') ?? base.unit);
  base.time = seconds(record, 'bt') ?? base.time;
  base.value = number(record, 'bv') ?? base.value;
  base.sum = number(record, 'bs') ?? base.sum;
}

function isKnownVersion(version: number): boolean {
  return (
    Number.isInteger(version) && ((version > 0 && version <= MAX_VERSION) || version === VERSION_WITH_SECONDARY_UNITS)
  );
}

function measurementOf(record: JsonObject, base: Base): Measurement {
  const name = shortened(base.name + shortened(text(record, 'n') ?? ''));
  if (!isSenmlName(name))
    throw badPayload('Not SenML: the name of a record is empty or has other characters than it may');
  const sum = plus(base.sum, number(record, 's'));
  const value = ownValue(record, base, record.get('s') !== undefined);
  if (value === undefined && sum === undefined) throw badPayload('Not SenML: a record has neither value nor sum');
  seconds(record, 'ut');
  return {
    name,
    unit: shortened(text(record, 'u') ?? base.unit),
    time: base.time + (seconds(record, 't') ?? 0),
    value,
    sum,
  };
}

/**
 * What is too long to be kept, as keys are that are longer than this (contract 3.5), is not carried along: a base name of a
 * megabyte would come with every record.
 */
const shortened = (text: string): string => (text.length > MAX_KEY_LENGTH ? text.slice(0, MAX_KEY_LENGTH + 1) : text);

/** At most one of the four; none of them, and the base value is the value, unless there is a sum. */
function ownValue(record: JsonObject, base: Base, hasSum: boolean): string | undefined {
  const v = number(record, 'v');
  const vs = text(record, 'vs');
  const vb = record.get('vb');
  const vd = text(record, 'vd');
  const given = [v, vs, vb, vd].filter((value) => value !== undefined);
  if (given.length > 1) throw badPayload('Not SenML: a record has more than one value');
  if (vb !== undefined && typeof vb !== 'boolean') throw bad('vb', 'is not a boolean');
  if (vd !== undefined && !BASE64URL.test(vd)) throw bad('vd', 'is not base64url');
  if (vb !== undefined) return String(vb);
  if (vs !== undefined || vd !== undefined) return JSON.stringify(vs ?? vd);
  return v === undefined && hasSum ? undefined : plus(base.value, v);
}

/** RFC 8428 section 4.5.4: one of the two that is missing counts as zero. */
function plus(base: string | undefined, own: string | undefined): string | undefined {
  if (base === undefined || own === undefined) return base ?? own;
  return sumOf(base, own);
}

function text(record: JsonObject, label: string): string | undefined {
  const node = record.get(label);
  if (node !== undefined && typeof node !== 'string') throw bad(label, 'is not text');
  return node;
}

/** As it was written. */
function number(record: JsonObject, label: string): string | undefined {
  const node = record.get(label);
  if (node === undefined) return undefined;
  if (typeof node !== 'number' && !(node instanceof JsonNumber)) throw bad(label, 'is not a number');
  return renderNode(node);
}

function seconds(record: JsonObject, label: string): number | undefined {
  const written = number(record, label);
  return written === undefined ? undefined : Number(written);
}

const bad = (label: string, what: string) => badPayload(`Not SenML: '${label.slice(0, 40)}' ${what}`);
