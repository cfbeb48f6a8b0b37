import { TandemError } from '../errors';
import { type KeyValue, trustedValue } from './value';

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * Takes apart what `renderObject` put together: keys and values with the values' own text.
 * @param text trusted to be of that form, so it is only walked, not checked; linear, never beyond its end
 * @throws TandemError INTERNAL when the text is cut short or of another form
 */
export function parseCanonicalObject(text: string): KeyValue[] {
  if (text.charCodeAt(0) !== OPEN_BRACE) throw damaged();
  const entries: KeyValue[] = [];
  if (text === '{}') return entries;
  let at = 1;
  for (;;) {
    if (text.charCodeAt(at) !== QUOTE) throw damaged();
    const keyEnd = endOfString(text, at);
    const valueEnd = endOfValue(text, keyEnd + 1);
    entries.push({ key: unquote(text, at, keyEnd), value: trustedValue(text.slice(keyEnd + 1, valueEnd)) });
    at = valueEnd + 1;
    if (text.charCodeAt(valueEnd) === CLOSE_BRACE && at === text.length) return entries;
    if (text.charCodeAt(valueEnd) !== COMMA) throw damaged();
  }
}

function unquote(text: string, start: number, end: number): string {
  const inner = text.slice(start + 1, end - 1);
  return inner.includes('\\') ? (JSON.parse(text.slice(start, end)) as string) : inner;
}

/** @returns where the text goes on after the string that starts at `start` */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    if (code === BACKSLASH) at++;
  }
  throw damaged();
}

/** @returns where the comma or brace after the value stands */
function endOfValue(text: string, start: number): number {
  let nesting = 0;
  let at = start;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
      continue;
    }
    if (code === OPEN_BRACE || code === OPEN_BRACKET) nesting++;
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) nesting--;
    if (nesting < 0 || (nesting === 0 && code === COMMA)) return at;
    at++;
  }
  throw damaged();
}

const damaged = () => new TandemError('INTERNAL', { message: 'A stored object is damaged' });
