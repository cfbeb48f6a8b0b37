declare const valueBrand: unique symbol;

/**
 * One typed value, held as its canonical JSON text; the text alone tells the type:
 *
 * | type    | text                                                        | example      |
 * |---------|-------------------------------------------------------------|--------------|
 * | BOOLEAN | `true`, `false`                                             | `true`       |
 * | LONG    | digits with an optional `-`, within signed 64 bit           | `42`         |
 * | DOUBLE  | a number that has a `.` or an `E`                           | `42.0`       |
 * | STRING  | a JSON string                                               | `"on"`       |
 * | JSON    | a compact JSON object or array, member order kept           | `{"a":1}`    |
 *
 * Text and not a JavaScript number, because `42` and `42.0` are different values and 64-bit integers stay exact
 * (contract 3.4, 3.6). It is what the wire gets, what the store keeps and what a consumer of the log reads.
 */
export type Value = string & { readonly [valueBrand]: true };

export type ValueType = 'BOOLEAN' | 'LONG' | 'DOUBLE' | 'STRING' | 'JSON';

export interface KeyValue {
  readonly key: string;
  readonly value: Value;
}

/** Takes canonical text on trust: for text that came out of the reader or the store. */
export const trustedValue = (canonical: string): Value => canonical as Value;

export const stringValue = (text: string): Value => quote(text) as Value;
export const booleanValue = (flag: boolean): Value => (flag ? 'true' : 'false') as Value;
/** @param n a whole number in the safe range, or a bigint in the signed 64-bit range */
export const longValue = (n: number | bigint): Value => String(n) as Value;

/**
 * A double always shows that it is one: `42` is written `42.0`, exponents as in the contract (3.6): from 1e7 on and below 1e-3
 * with a capital E and no plus sign.
 * @param n a finite number
 */
export function doubleValue(n: number): Value {
  if (n === 0) return '0.0' as Value;
  const magnitude = Math.abs(n);
  if (magnitude >= 1e-3 && magnitude < 1e7) {
    const text = String(n);
    return (text.includes('.') ? text : `${text}.0`) as Value;
  }
  const [mantissa = '', exponent = ''] = n.toExponential().split('e');
  return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${exponent.replace('+', '')}` as Value;
}

export function valueType(value: Value): ValueType {
  switch (value.charCodeAt(0)) {
    case 0x22:
      return 'STRING';
    case 0x7b:
    case 0x5b:
      return 'JSON';
    case 0x74:
    case 0x66:
      return 'BOOLEAN';
    default:
      return /[.E]/.test(value) ? 'DOUBLE' : 'LONG';
  }
}

/**
 * The value as plain text, the form of time series in REST answers (server contract 5.1): a string without its quotes,
 * anything else as it stands.
 */
export function valueToText(value: Value): string {
  return value.charCodeAt(0) === 0x22 ? (JSON.parse(value) as string) : value;
}

/** Longer texts are left to JSON.stringify, which is fast where its call does not count. */
const SHORT = 64;

/** `JSON.stringify` of a string; the short and plain ones, which nearly all keys are, without the call. */
export function quote(text: string): string {
  if (text.length > SHORT) return JSON.stringify(text);
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    // Control characters, quotation mark, backslash; from 0xd800 on surrogates, which may stand alone.
    if (code < 0x20 || code === 0x22 || code === 0x5c || code >= 0xd800) return JSON.stringify(text);
  }
  return `"${text}"`;
}

/** `{"k":v,...}` with the values' own text, so that `42.0` stays `42.0`. */
export function renderObject(entries: Iterable<KeyValue>): string {
  let text = '{';
  for (const { key, value } of entries) {
    if (text.length > 1) text += ',';
    text += `${quote(key)}:${value}`;
  }
  return `${text}}`;
}
