import { badPayload } from './bad-payload';
import { type JsonNode, JsonNumber, JsonObject } from './json-node';
import { plainNumber } from './number-in-string';

/** Objects and arrays within each other. The reader recurses, so this is what keeps hostile input off the stack. */
export const MAX_NESTING = 255;

/**
 * Objects, arrays and what is in them, in one document. A body within the size limit can hold millions, and one thread reads them
 * for everybody: this many take a tenth of a second (ADR 9).
 */
export const MAX_VALUES = 100_000;

/** Below this many members a look along the list finds a duplicate name sooner than an index would. */
const INDEX_FROM = 12;
/** Integers of so many digits are exact as JavaScript numbers. */
const INTEGER_DIGITS = 15;
/** Characters of an escaped string that are turned into text at once. */
const CHARACTER_RUN = 1024;

const NO_ITEMS: readonly JsonNode[] = [];

const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const DOUBLE_QUOTE = 0x22;
const HASH = 0x23;
const SINGLE_QUOTE = 0x27;
const ASTERISK = 0x2a;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const SLASH = 0x2f;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const GREATER = 0x3e;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const ENDS_LITERAL = new Uint8Array(128);
for (const character of '{}[]:,;=#/\\ \t\f\r\n') ENDS_LITERAL[character.charCodeAt(0)] = 1;

/** Past the end `charCodeAt` gives NaN, which ends a literal, too. */
const endsLiteral = (code: number): boolean => (code < 128 ? ENDS_LITERAL[code] === 1 : Number.isNaN(code));
const isDigit = (code: number): boolean => code >= ZERO && code <= NINE;

const EXPONENT_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?[eE][+-]?\d+$/;
const FOUR_HEX_DIGITS = /^[0-9a-fA-F]{4}$/;

const ESCAPES = new Map<number, number>([
  [0x74, TAB],
  [0x62, 0x08],
  [0x6e, NEWLINE],
  [0x72, RETURN],
  [0x66, 0x0c],
  ...[NEWLINE, SINGLE_QUOTE, DOUBLE_QUOTE, BACKSLASH, SLASH].map((code): [number, number] => [code, code]),
]);

export interface JsonDocument {
  readonly root: JsonNode;
  /** The whole document is a word without quotes, such as `hello`. */
  readonly bareWord: boolean;
}

/**
 * Reads JSON as leniently as contract 3.1 lays down: names and strings without quotes or in single ones, `;` for a
 * comma, `=` and `=>` for a colon, comments, literals in any letter case, a byte order mark, the prefix `)]}'`. Takes
 * time linear in the length of the text, whatever it holds.
 *
 * @returns undefined when the text is blank or nothing but comments
 * @throws TandemError BAD_PAYLOAD, naming the character, when even a lenient reader cannot make sense of it
 */
export function readJsonDocument(text: string): JsonDocument | undefined {
  return new LenientReader(text, MAX_NESTING, MAX_VALUES).document();
}

/**
 * Text of our own, put together out of values that were read within the limits: a few levels deeper and longer than what may
 * come in.
 */
export function readOwnJson(text: string): JsonNode {
  return new LenientReader(text, 2 * MAX_NESTING, Number.POSITIVE_INFINITY).document()?.root ?? null;
}

/** As {@link readJsonDocument}, with null for a blank text: what a body of white space counts as (contract 3.1). */
export function readJson(text: string): JsonNode {
  return readJsonDocument(text)?.root ?? null;
}

/** As {@link readJson}. @param tooMany said of more than {@link MAX_VALUES} where the format counts in something else */
export function readJsonOf(text: string, tooMany: string): JsonNode {
  return new LenientReader(text, MAX_NESTING, MAX_VALUES, tooMany).document()?.root ?? null;
}

class LenientReader {
  readonly #text: string;
  #at = 0;
  #nesting = 0;
  #values = 0;

  constructor(
    text: string,
    private readonly maxNesting: number,
    private readonly maxValues: number,
    private readonly tooMany?: string,
  ) {
    this.#text = text;
  }

  document(): JsonDocument | undefined {
    if (this.#text.charCodeAt(0) === 0xfeff) this.#at = 1;
    let first = this.#skipBlank();
    if (this.#text.startsWith(")]}'\n", this.#at)) {
      this.#at += 5;
      first = this.#skipBlank();
    }
    if (Number.isNaN(first)) return undefined;
    const root = this.#value(first);
    if (!Number.isNaN(this.#skipBlank())) throw this.#fault('text after the document');
    return { root, bareWord: typeof root === 'string' && first !== DOUBLE_QUOTE && first !== SINGLE_QUOTE };
  }

  /** Moves to the next character that is neither white space nor comment. NaN at the end. */
  #skipBlank(): number {
    const text = this.#text;
    for (;;) {
      const code = text.charCodeAt(this.#at);
      if (code === SPACE || code === NEWLINE || code === RETURN || code === TAB) {
        this.#at++;
      } else if (code === HASH) {
        this.#skipLine();
      } else if (code === SLASH) {
        const next = text.charCodeAt(this.#at + 1);
        if (next === SLASH) {
          this.#skipLine();
        } else if (next === ASTERISK) {
          const end = text.indexOf('*/', this.#at + 2);
          if (end === -1) throw this.#fault('unterminated comment');
          this.#at = end + 2;
        } else {
          return code;
        }
      } else {
        return code;
      }
    }
  }

  #skipLine(): void {
    const text = this.#text;
    let at = this.#at;
    for (let code = text.charCodeAt(at); code !== NEWLINE && code !== RETURN && at < text.length; ) {
      code = text.charCodeAt(++at);
    }
    this.#at = at;
  }

  /** @param first the character at the position, which is not blank */
  #value(first: number): JsonNode {
    if (++this.#values > this.maxValues) throw this.#tooMany();
    if (first === DOUBLE_QUOTE || first === SINGLE_QUOTE) return this.#quoted(first);
    if (first !== OPEN_BRACE && first !== OPEN_BRACKET) return this.#literal(first);
    if (++this.#nesting > this.maxNesting) throw this.#fault(`nested more than ${this.maxNesting} deep`);
    this.#at++;
    const node = first === OPEN_BRACE ? this.#object() : this.#array();
    this.#at++;
    this.#nesting--;
    return node;
  }

  #object(): JsonObject {
    let code = this.#skipBlank();
    if (code === CLOSE_BRACE) return JsonObject.EMPTY;
    // Begun as literals: a list that starts empty reserves room for 17 at its first push.
    const names = [this.#name(code)];
    const values = [this.#memberValue()];
    let index: Map<string, number> | undefined;
    for (;;) {
      code = this.#skipBlank();
      if (code === CLOSE_BRACE) return new JsonObject(names, values);
      if (code !== COMMA && code !== SEMICOLON) throw this.#fault('expected a comma or the end of the object');
      this.#at++;
      const name = this.#name(this.#skipBlank());
      const value = this.#memberValue();
      if (index === undefined && names.length >= INDEX_FROM) index = new Map(names.map((known, i) => [known, i]));
      const known = index === undefined ? names.indexOf(name) : (index.get(name) ?? -1);
      if (known === -1) {
        index?.set(name, names.length);
        names.push(name);
        values.push(value);
      } else {
        values[known] = value;
      }
    }
  }

  #name(first: number): string {
    if (first === DOUBLE_QUOTE || first === SINGLE_QUOTE) return this.#quoted(first);
    if (endsLiteral(first)) throw this.#fault('expected a name');
    return this.#bare();
  }

  #memberValue(): JsonNode {
    const code = this.#skipBlank();
    if (code !== COLON && code !== EQUALS) throw this.#fault('expected a colon');
    this.#at++;
    if (code === EQUALS && this.#text.charCodeAt(this.#at) === GREATER) this.#at++;
    return this.#value(this.#skipBlank());
  }

  #array(): readonly JsonNode[] {
    let code = this.#skipBlank();
    if (code === CLOSE_BRACKET) return NO_ITEMS;
    const items = [this.#value(code)];
    for (;;) {
      code = this.#skipBlank();
      if (code === CLOSE_BRACKET) return items;
      if (code !== COMMA && code !== SEMICOLON) throw this.#fault('expected a comma or the end of the array');
      this.#at++;
      code = this.#skipBlank();
      if (code === CLOSE_BRACKET) {
        items.push(null);
        return items;
      }
      items.push(this.#value(code));
    }
  }

  #quoted(quote: number): string {
    const text = this.#text;
    const start = this.#at + 1;
    let at = start;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === quote) {
        this.#at = at + 1;
        return text.slice(start, at);
      }
      if (code === BACKSLASH) return this.#escaped(quote, start, at);
      if (Number.isNaN(code)) throw this.#fault('unterminated string');
      at++;
    }
  }

  /** @param firstEscape where the first backslash of the string is */
  #escaped(quote: number, start: number, firstEscape: number): string {
    const text = this.#text;
    let result = text.slice(start, firstEscape);
    let run: number[] = [];
    let at = firstEscape;
    for (;;) {
      let code = text.charCodeAt(at++);
      if (code === quote) break;
      if (code === BACKSLASH) {
        this.#at = at - 1;
        const letter = text.charCodeAt(at++);
        if (letter === 0x75) {
          const digits = text.slice(at, at + 4);
          if (!FOUR_HEX_DIGITS.test(digits)) throw this.#fault('invalid escape');
          code = Number.parseInt(digits, 16);
          at += 4;
        } else {
          const meant = ESCAPES.get(letter);
          if (meant === undefined) throw this.#fault('invalid escape');
          code = meant;
        }
      } else if (Number.isNaN(code)) {
        throw this.#fault('unterminated string');
      }
      if (run.push(code) === CHARACTER_RUN) {
        result += String.fromCharCode(...run);
        run = [];
      }
    }
    this.#at = at;
    return result + String.fromCharCode(...run);
  }

  /** A number, a word of JSON, or a string without quotes. */
  #literal(first: number): JsonNode {
    const number = this.#plainNumber(first);
    if (number !== undefined) return number;
    if (endsLiteral(first)) throw this.#fault('expected a value');
    const literal = this.#bare();
    if (isDigit(first) || first === MINUS || first === DOT) {
      const plain = plainNumber(literal);
      if (plain !== undefined) return new JsonNumber(plain);
      if (EXPONENT_NUMBER.test(literal)) return new JsonNumber(literal);
    } else if (literal.length === 4 || literal.length === 5) {
      switch (literal.toLowerCase()) {
        case 'true':
          return true;
        case 'false':
          return false;
        case 'null':
          return null;
      }
    }
    return literal;
  }

  /** The numbers devices send, `-?(0|[1-9][0-9]*)([.][0-9]+)?`, in one walk. Undefined, without moving, for others. */
  #plainNumber(first: number): number | JsonNumber | undefined {
    const text = this.#text;
    const start = this.#at;
    let at = start;
    let code = first;
    if (code === MINUS) code = text.charCodeAt(++at);
    if (!isDigit(code)) return undefined;
    const digits = at;
    const leadingZero = code === ZERO;
    let integer = 0;
    do {
      integer = integer * 10 + (code - ZERO);
      code = text.charCodeAt(++at);
    } while (isDigit(code));
    if (leadingZero && at > digits + 1) return undefined;
    const whole = code !== DOT;
    if (!whole) {
      const fraction = at + 1;
      do code = text.charCodeAt(++at);
      while (isDigit(code));
      if (at === fraction) return undefined;
    }
    if (!endsLiteral(code)) return undefined;
    this.#at = at;
    if (!whole || at - digits > INTEGER_DIGITS || (leadingZero && first === MINUS)) {
      return new JsonNumber(text.slice(start, at));
    }
    return first === MINUS ? -integer : integer;
  }

  /** Characters up to the next one that cannot stand in a name or string without quotes. */
  #bare(): string {
    const text = this.#text;
    const start = this.#at;
    let at = start;
    while (!endsLiteral(text.charCodeAt(at))) at++;
    this.#at = at;
    return text.slice(start, at);
  }

  #tooMany() {
    return this.tooMany === undefined ? this.#fault(`more than ${this.maxValues} values`) : badPayload(this.tooMany);
  }

  #fault(what: string) {
    return badPayload(`Not JSON: ${what} at character ${this.#at}`);
  }
}
