import { badPayload } from './bad-payload';
import { type Decimal, isIntegral, isZero, parseDecimal, plainDigits, plainText, wholeDigits } from './decimal';
import { type JsonNode, JsonNumber, type JsonObject, renderNode } from './json-node';
import { numberInString } from './number-in-string';
import { keyFault } from './storable-key';
import { booleanValue, doubleValue, type KeyValue, longValue, stringValue, trustedValue, type Value } from './value';

export interface PayloadSettings {
  /** Whether strings that look like numbers become numbers (JSON_TYPE_CAST_ENABLED, contract 3.4). */
  readonly typeCast: boolean;
  /** UTF-16 units; 0 is no limit (JSON_MAX_STRING_VALUE_LENGTH, contract 3.5). */
  readonly maxStringLength: number;
  /**
   * A number with a point or an exponent is a DOUBLE whatever its size: for text that was made out of a format which tells
   * floats from integers. Rules N2 and N4 of contract 3.4 would make a LONG of `1e10` and a STRING of `0.30000000000000004`.
   */
  readonly floats?: boolean;
}

/**
 * How many digits a number may have when it is written without exponent; room for `1e400`, which the contract asks for
 * (TV-114), and no more: twelve characters must not become gigabytes.
 */
export const MAX_PLAIN_DIGITS = 401;

/** Digits after the point up to which a number is a DOUBLE (contract 3.4, N3). */
const MAX_DOUBLE_SCALE = 16;
/** Every integer of so many digits is a LONG. */
const SAFE_LONG_DIGITS = 18;
/** Every decimal of so many digits is the shortest text of its double. */
const SAFE_DOUBLE_DIGITS = 15;

const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;

const LONG_MAX = '9223372036854775807';
const LONG_MIN_DIGITS = '9223372036854775808';

export interface TypedMembers {
  readonly entries: KeyValue[];
  /** Keys that cannot be stored: see `keyFault`. */
  readonly droppedKeys: number;
}

/**
 * Every member of an object as a key and its value. Members that are null are no data; keys that cannot be stored are
 * left out and counted, and the other keys stay (contract 3.4, 3.5).
 * @throws TandemError BAD_PAYLOAD when a value breaks a limit
 */
export function typeMembers(object: JsonObject, settings: PayloadSettings): TypedMembers {
  const entries: KeyValue[] = [];
  let droppedKeys = 0;
  for (let i = 0; i < object.names.length; i++) {
    const key = object.names[i] ?? '';
    const node = object.values[i] ?? null;
    if (node === null) continue;
    if (keyFault(key) !== undefined) {
      droppedKeys++;
      continue;
    }
    entries.push({ key, value: typeNode(node, key, settings) });
  }
  return { entries, droppedKeys };
}

/** @throws TandemError BAD_PAYLOAD when the value breaks a limit */
export function typeNode(node: Exclude<JsonNode, null>, key: string, settings: PayloadSettings): Value {
  if (typeof node === 'string') return typeString(node, key, settings);
  if (typeof node === 'number') return longValue(node);
  if (typeof node === 'boolean') return booleanValue(node);
  if (!(node instanceof JsonNumber)) return trustedValue(renderNode(node));
  const value = typeNumber(node.text, settings.typeCast, settings.floats);
  if (typeof value === 'string') return value;
  throw badPayload(
    value.fault === 'TOO_LONG'
      ? `The number at key [${key}] has more than ${MAX_PLAIN_DIGITS} digits`
      : `Big integer values are not supported: key [${key}]`,
  );
}

function typeString(text: string, key: string, { typeCast, maxStringLength }: PayloadSettings): Value {
  if (maxStringLength > 0 && text.length > maxStringLength) {
    throw badPayload(
      `String value length [${text.length}] for key [${key}] is greater than the maximum allowed [${maxStringLength}]`,
    );
  }
  if (typeCast) {
    const number = numberInString(text);
    const value = number === undefined ? undefined : typeNumber(number, typeCast);
    if (typeof value === 'string') return value;
  }
  return stringValue(text);
}

type NumberFault = { readonly fault: 'TOO_LONG' | 'BIG_INTEGER' };
const TOO_LONG: NumberFault = { fault: 'TOO_LONG' };
const BIG_INTEGER: NumberFault = { fault: 'BIG_INTEGER' };

/**
 * Rules N1 to N4 of contract 3.4.
 * @param text a JSON number
 * @param floats as in {@link PayloadSettings}
 */
export function typeNumber(text: string, typeCast: boolean, floats = false): Value | NumberFault {
  if (isCanonicalNumber(text, 0, text.length)) return trustedValue(text);
  if (floats && /[.eE]/.test(text)) {
    const double = Number(text);
    if (Number.isFinite(double)) return doubleValue(double);
  }
  const decimal = parseDecimal(text);
  const plainDot = text.includes('.') && !/[eE]/.test(text);
  if (isIntegral(decimal) && !plainDot) return typeInteger(decimal, typeCast);
  if (plainDigits(decimal) > MAX_PLAIN_DIGITS) return TOO_LONG;
  if (decimal.scale <= MAX_DOUBLE_SCALE) {
    const double = Number(text);
    // Hundreds of digits before the point are beyond a double, although rule N3 names one.
    if (Number.isFinite(double)) return doubleValue(double);
  }
  return stringValue(plainText(decimal));
}

function typeInteger(decimal: Decimal, typeCast: boolean): Value | NumberFault {
  if (isZero(decimal)) return longValue(0);
  if (decimal.digits.length - decimal.scale > MAX_PLAIN_DIGITS) return TOO_LONG;
  const digits = wholeDigits(decimal);
  const limit = decimal.negative ? LONG_MIN_DIGITS : LONG_MAX;
  const text = decimal.negative ? `-${digits}` : digits;
  // Digits of equal count stand in the order of their numbers.
  if (digits.length < limit.length || (digits.length === limit.length && digits <= limit)) return trustedValue(text);
  return typeCast ? stringValue(text) : BIG_INTEGER;
}

/**
 * Whether a number as it was written, from `from` to `end`, is already its canonical text: true for what devices usually
 * send, at a fraction of the cost of the exact way. A false no costs time only.
 */
export function isCanonicalNumber(text: string, from: number, end: number): boolean {
  if (end - from > SAFE_LONG_DIGITS + 1) return false;
  const start = text.charCodeAt(from) === MINUS ? from + 1 : from;
  let point = -1;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code > NINE) return false;
    if (code === DOT) point = i;
  }
  const leadingZero = text.charCodeAt(start) === ZERO;
  if (point === -1) return leadingZero ? end - from === 1 : end - start <= SAFE_LONG_DIGITS;
  // From 1e7 on, and below 1e-3, a double is written with an exponent; zeros at its end are not written but for `.0`.
  return (
    point - start <= 7 &&
    end - start - 1 <= SAFE_DOUBLE_DIGITS &&
    (!leadingZero || text.charCodeAt(point + 1) !== ZERO) &&
    (text.charCodeAt(end - 1) !== ZERO || point === end - 2)
  );
}
