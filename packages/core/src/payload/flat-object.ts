import { mayBeNumber } from './number-in-string';
import { MAX_KEY_LENGTH } from './storable-key';
import { isCanonicalNumber, type PayloadSettings } from './typing';

/** Objects of more members are left to the reader: here each name is compared with those before it. */
const MAX_MEMBERS = 16;

const SPACE = 0x20;
const DOUBLE_QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const FIRST_OF_FALSE = 0x66;
const FIRST_OF_TRUE = 0x74;

/** Characters that a string has as they are, of ASCII. */
const PLAIN = new Uint8Array(128);
PLAIN.fill(1, SPACE, 0x7f);
PLAIN[DOUBLE_QUOTE] = 0;
PLAIN[BACKSLASH] = 0;

/** Where the names lie of the object that is looked at. */
const nameStarts = new Int32Array(MAX_MEMBERS);
const nameEnds = new Int32Array(MAX_MEMBERS);

/**
 * Tells the telemetry that most devices send: one object of plain names and plain values, written as canonical JSON already.
 * Of such a text the reader, the typing and `renderObject` together would make the very same text, so it can be kept as it
 * stands, at a fraction of the cost.
 * @returns how many members it has; 0 for every other text, good or bad, which says nothing about it
 */
export function countCanonicalMembers(text: string, { typeCast, maxStringLength }: PayloadSettings): number {
  // A name may look like HTML, which is not stored.
  if (text.charCodeAt(0) !== OPEN_BRACE || text.includes('<')) return 0;
  let at = 0;
  for (let count = 0; count < MAX_MEMBERS; count++) {
    const colon = endOfName(text, at + 1, count);
    if (colon === -1) return 0;
    at = endOfValue(text, colon + 1, typeCast, maxStringLength);
    const after = text.charCodeAt(at);
    if (after === CLOSE_BRACE) return at + 1 === text.length ? count + 1 : 0;
    if (after !== COMMA) return 0;
  }
  return 0;
}

/** @returns where the colon after the name stands; -1 when this is no plain name, or one that is not like others */
function endOfName(text: string, at: number, count: number): number {
  const start = at + 1;
  const end = endOfString(text, at);
  const length = end - start;
  // From a space on it might be a blank name.
  if (length < 1 || length > MAX_KEY_LENGTH || text.charCodeAt(start) === SPACE) return -1;
  if (length === 2 && text.startsWith('ts', start)) return -1;
  for (let i = 0; i < count; i++) {
    const known = nameStarts[i] ?? 0;
    if ((nameEnds[i] ?? 0) - known === length && isSame(text, known, start, length)) return -1;
  }
  nameStarts[count] = start;
  nameEnds[count] = end;
  return text.charCodeAt(end + 1) === COLON ? end + 1 : -1;
}

/** From the end: names that are alike mostly begin alike. */
function isSame(text: string, one: number, other: number, length: number): boolean {
  for (let i = length - 1; i >= 0; i--) if (text.charCodeAt(one + i) !== text.charCodeAt(other + i)) return false;
  return true;
}

/** @returns where the text goes on after the value; -1 when the value is not canonical as it stands */
function endOfValue(text: string, at: number, typeCast: boolean, maxStringLength: number): number {
  const first = text.charCodeAt(at);
  switch (first) {
    case DOUBLE_QUOTE: {
      const end = endOfString(text, at);
      if (end === -1 || (maxStringLength > 0 && end - at - 1 > maxStringLength)) return -1;
      return typeCast && mayBeNumber(text.charCodeAt(at + 1), text.charCodeAt(end - 1)) ? -1 : end + 1;
    }
    case FIRST_OF_TRUE:
      return text.startsWith('true', at) ? at + 4 : -1;
    case FIRST_OF_FALSE:
      return text.startsWith('false', at) ? at + 5 : -1;
    default:
      return endOfNumber(text, at);
  }
}

/** @returns where the closing quote of a plain string stands, else -1 */
function endOfString(text: string, at: number): number {
  if (text.charCodeAt(at) !== DOUBLE_QUOTE) return -1;
  let end = at + 1;
  while (PLAIN[text.charCodeAt(end)] === 1) end++;
  return text.charCodeAt(end) === DOUBLE_QUOTE ? end : -1;
}

function endOfNumber(text: string, start: number): number {
  const digits = text.charCodeAt(start) === MINUS ? start + 1 : start;
  let end = endOfDigits(text, digits);
  if (end === digits || (text.charCodeAt(digits) === ZERO && end > digits + 1)) return -1;
  if (text.charCodeAt(end) === DOT) {
    const fraction = end + 1;
    end = endOfDigits(text, fraction);
    if (end === fraction) return -1;
  }
  return isCanonicalNumber(text, start, end) ? end : -1;
}

function endOfDigits(text: string, start: number): number {
  let at = start;
  for (let code = text.charCodeAt(at); code >= ZERO && code <= NINE; ) code = text.charCodeAt(++at);
  return at;
}
