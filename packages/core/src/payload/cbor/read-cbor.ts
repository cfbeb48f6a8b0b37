import { isUtf8 } from 'node:buffer';
import { badPayload } from '../bad-payload';
import { MAX_NESTING, MAX_VALUES } from '../json-reader';
import { doubleValue, quote } from '../value';
import { halfFloat } from './half-float';

/** Bytes of a bignum; its digits are more than a number may have (ADR 6) from here on. */
const MAX_BIGNUM_BYTES = 167;

/** What the additional information of a head says beside a length (RFC 8949 section 3). */
const INDEFINITE = 31;
const BREAK = 0xff;

const TAG_BIGNUM = 2;
const TAG_NEGATIVE_BIGNUM = 3;
const TAG_DECIMAL_FRACTION = 4;
const DECIMAL_FRACTION = /^\[(-?\d{1,20}),(-?\d+)\]$/;

export interface CborReading {
  /** The name a map key stands for that is an integer; its digits where this is left out. */
  readonly integerName?: (key: number | bigint) => string | undefined;
}

/**
 * CBOR (RFC 8949) as compact JSON text, in time linear in its length whatever it claims about lengths.
 *
 * - integers and bignums are their digits, floats of every width show that they are doubles: `42.0`
 * - NaN and the infinities are strings with that text, as in the lenient JSON of contract 3.1; undefined is null
 * - a byte string is the text of its base64url form (RFC 8949 section 6.1)
 * - a decimal fraction (tag 4) is the nearest double; other tags say nothing here, their content counts
 * - a map key is a text or an integer, which stands for its digits; of keys that are there twice the last one counts
 *
 * @throws TandemError BAD_PAYLOAD, naming the byte: not well-formed, not valid, bytes left over, or beyond the limits of
 * {@link MAX_NESTING} and {@link MAX_VALUES}
 */
export function readCbor(bytes: Buffer, reading: CborReading = {}): string {
  return new CborReader(bytes, reading).document();
}

class CborReader {
  #at = 0;
  #nesting = 0;
  #values = 0;

  constructor(
    private readonly bytes: Buffer,
    private readonly reading: CborReading,
  ) {}

  document(): string {
    const text = this.#value();
    if (this.#at < this.bytes.length) throw this.#fault('bytes after the document');
    return text;
  }

  #value(): string {
    this.#count();
    const head = this.#byte();
    const info = head & 0x1f;
    switch (head >> 5) {
      case 0:
        return String(this.#argument(info));
      case 1:
        return negative(this.#argument(info));
      case 2:
        return quote(this.#string(info, 2).toString('base64url'));
      case 3:
        return quote(this.#text(info));
      case 4:
        return this.#nested(() => this.#array(info));
      case 5:
        return this.#nested(() => this.#map(info));
      case 6:
        return this.#tagged(this.#argument(info));
      default:
        return this.#simple(head, info);
    }
  }

  #nested(read: () => string): string {
    if (++this.#nesting > MAX_NESTING) throw this.#fault(`nested more than ${MAX_NESTING} deep`);
    const text = read();
    this.#nesting--;
    return text;
  }

  #array(info: number): string {
    const items: string[] = [];
    if (info === INDEFINITE) {
      while (!this.#ended()) items.push(this.#value());
    } else {
      const count = this.#length(info, 1);
      for (let i = 0; i < count; i++) items.push(this.#value());
    }
    return `[${items.join(',')}]`;
  }

  #map(info: number): string {
    // In the order of first appearance, and the last value of each.
    const members = new Map<string, string>();
    if (info === INDEFINITE) {
      while (!this.#ended()) members.set(this.#key(), this.#value());
    } else {
      const count = this.#length(info, 2);
      for (let i = 0; i < count; i++) members.set(this.#key(), this.#value());
    }
    const texts: string[] = [];
    for (const [name, value] of members) texts.push(`${quote(name)}:${value}`);
    return `{${texts.join(',')}}`;
  }

  #key(): string {
    for (;;) {
      const head = this.#byte();
      const info = head & 0x1f;
      switch (head >> 5) {
        case 0: {
          const key = this.#argument(info);
          return this.reading.integerName?.(key) ?? String(key);
        }
        case 1: {
          const key = this.#argument(info);
          return (typeof key === 'number' && this.reading.integerName?.(-1 - key)) || negative(key);
        }
        case 3:
          return this.#text(info);
        case 6:
          this.#count();
          this.#argument(info);
          break;
        default:
          throw this.#fault('a key that is neither text nor an integer');
      }
    }
  }

  /** @param tag tags around a tag are read in a row: nothing here nests with them */
  #tagged(tag: number | bigint): string {
    let outer = tag;
    for (;;) {
      if (outer === TAG_BIGNUM || outer === TAG_NEGATIVE_BIGNUM) return this.#bignum(outer === TAG_NEGATIVE_BIGNUM);
      if (outer === TAG_DECIMAL_FRACTION) return this.#decimalFraction();
      const head = this.#peek();
      if (head >> 5 !== 6) return this.#value();
      this.#count();
      this.#at++;
      outer = this.#argument(head & 0x1f);
    }
  }

  #bignum(isNegative: boolean): string {
    const head = this.#byte();
    if (head >> 5 !== 2) throw this.#fault('a bignum that is no byte string');
    const bytes = this.#string(head & 0x1f, 2);
    let start = 0;
    while (bytes[start] === 0) start++;
    if (bytes.length - start > MAX_BIGNUM_BYTES) throw this.#fault('a bignum too long');
    const magnitude = BigInt(`0x0${bytes.toString('hex', start)}`);
    return isNegative ? negative(magnitude) : String(magnitude);
  }

  /** RFC 8949 section 3.4.4. */
  #decimalFraction(): string {
    const [, exponent, mantissa] = DECIMAL_FRACTION.exec(this.#value()) ?? [];
    const number = Number(`${mantissa}e${exponent}`);
    if (!Number.isFinite(number)) throw this.#fault('a decimal fraction that no double holds');
    return doubleValue(number);
  }

  #simple(head: number, info: number): string {
    switch (info) {
      case 20:
        return 'false';
      case 21:
        return 'true';
      case 22:
      case 23:
        return 'null';
      case 25:
        return float(halfFloat(this.bytes.readUInt16BE(this.#take(2))));
      case 26:
        return float(this.bytes.readFloatBE(this.#take(4)));
      case 27:
        return float(this.bytes.readDoubleBE(this.#take(8)));
      default:
        throw this.#fault(head === BREAK ? 'a break where nothing is open' : 'a simple value without a meaning');
    }
  }

  #text(info: number): string {
    if (info === INDEFINITE) {
      const chunks: string[] = [];
      while (!this.#ended()) chunks.push(this.#utf8(this.#chunkLength(3)));
      return chunks.join('');
    }
    return this.#utf8(this.#length(info, 1));
  }

  #utf8(length: number): string {
    const start = this.#take(length);
    const text = this.bytes.toString('utf8', start, this.#at);
    // The replacement character may be meant.
    if (text.includes('\ufffd') && !isUtf8(this.bytes.subarray(start, this.#at))) throw this.#fault('no UTF-8');
    return text;
  }

  #string(info: number, major: number): Buffer {
    if (info !== INDEFINITE) return this.#slice(this.#length(info, 1));
    const chunks: Buffer[] = [];
    while (!this.#ended()) chunks.push(this.#slice(this.#chunkLength(major)));
    return Buffer.concat(chunks);
  }

  /** Chunks have a length of their own and the type of the whole (RFC 8949 section 3.2.3). */
  #chunkLength(major: number): number {
    this.#count();
    const head = this.#byte();
    if (head >> 5 !== major || (head & 0x1f) === INDEFINITE) throw this.#fault('a chunk of another kind');
    return this.#length(head & 0x1f, 1);
  }

  #slice(length: number): Buffer {
    const start = this.#take(length);
    return this.bytes.subarray(start, this.#at);
  }

  /** @param bytesEach how many each of so many takes at least: what the rest of the document cannot hold is not begun */
  #length(info: number, bytesEach: number): number {
    const length = this.#argument(info);
    if (length > (this.bytes.length - this.#at) / bytesEach) throw this.#fault('a length beyond the end');
    return Number(length);
  }

  #argument(info: number): number | bigint {
    if (info < 24) return info;
    switch (info) {
      case 24:
        return this.#byte();
      case 25:
        return this.bytes.readUInt16BE(this.#take(2));
      case 26:
        return this.bytes.readUInt32BE(this.#take(4));
      case 27: {
        const long = this.bytes.readBigUInt64BE(this.#take(8));
        return long < Number.MAX_SAFE_INTEGER ? Number(long) : long;
      }
      default:
        throw this.#fault('a head without a meaning');
    }
  }

  /** Whether the break is next, which is then taken. */
  #ended(): boolean {
    if (this.#peek() !== BREAK) return false;
    this.#at++;
    return true;
  }

  #peek(): number {
    const byte = this.bytes[this.#at];
    if (byte === undefined) throw this.#fault('cut short');
    return byte;
  }

  #byte(): number {
    const byte = this.#peek();
    this.#at++;
    return byte;
  }

  /** @returns where the bytes that are taken begin */
  #take(length: number): number {
    const start = this.#at;
    if (start + length > this.bytes.length) throw this.#fault('cut short');
    this.#at = start + length;
    return start;
  }

  #count(): void {
    if (++this.#values > MAX_VALUES) throw this.#fault(`more than ${MAX_VALUES} values`);
  }

  #fault(what: string) {
    return badPayload(`Not CBOR: ${what} at byte ${this.#at}`);
  }
}

const negative = (argument: number | bigint): string =>
  typeof argument === 'number' ? String(-1 - argument) : String(-1n - argument);

const float = (n: number): string => (Number.isFinite(n) ? doubleValue(n) : `"${n}"`);
