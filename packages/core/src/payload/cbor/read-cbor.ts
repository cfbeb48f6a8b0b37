import { isUtf8 } from 'node:buffer';
import { badPayload } from '../bad-payload';
import { type JsonNode, JsonNumber, JsonObject, renderNode } from '../json-node';
import { MAX_NESTING, MAX_VALUES } from '../json-reader';
import { doubleValue } from '../value';
import { halfFloat } from './half-float';

/** Bytes of a bignum; its digits are more than a number may have (ADR 6) from here on. */
const MAX_BIGNUM_BYTES = 167;

/** What the additional information of a head says beside a length (RFC 8949 section 3). */
const INDEFINITE = 31;
const BREAK = 0xff;

const TAG_BIGNUM = 2;
const TAG_NEGATIVE_BIGNUM = 3;
const TAG_DECIMAL_FRACTION = 4;
const EXPONENT = /^-?\d{1,20}$/;
const INTEGER = /^-?\d+$/;
/** Integers below are JavaScript numbers in a node (json-node.ts). */
const MAX_PLAIN_INTEGER = 1e15;

export interface CborReading {
  /** The name a map key stands for that is an integer; its digits where this is left out. */
  readonly integerName?: (key: number | bigint) => string | undefined;
  /** Said of a document with more than {@link MAX_VALUES} where its format counts in something else. */
  readonly tooMany?: string;
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
  return renderNode(readCborNode(bytes, reading));
}

/** As {@link readCbor}, before it is text: whatever is nested is written once, however deep it is. */
export function readCborNode(bytes: Buffer, reading: CborReading = {}): JsonNode {
  return new CborReader(bytes, reading).document();
}

class CborReader {
  #at = 0;
  /** Where the item begins that is being read. */
  #start = 0;
  #nesting = 0;
  #values = 0;

  constructor(
    private readonly bytes: Buffer,
    private readonly reading: CborReading,
  ) {}

  document(): JsonNode {
    const node = this.#value();
    if (this.#at < this.bytes.length) throw this.#fault('bytes after the document', this.#at);
    return node;
  }

  #value(): JsonNode {
    this.#count();
    const head = this.#head();
    const info = head & 0x1f;
    switch (head >> 5) {
      case 0:
        return integer(this.#argument(info));
      case 1:
        return negative(this.#argument(info));
      case 2:
        return this.#string(info, 2).toString('base64url');
      case 3:
        return this.#text(info);
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

  #nested(read: () => JsonNode): JsonNode {
    if (++this.#nesting > MAX_NESTING) throw this.#fault(`nested more than ${MAX_NESTING} deep`);
    const node = read();
    this.#nesting--;
    return node;
  }

  #array(info: number): JsonNode {
    const items: JsonNode[] = [];
    if (info === INDEFINITE) {
      while (!this.#ended()) items.push(this.#value());
    } else {
      const count = this.#length(info, 1);
      for (let i = 0; i < count; i++) items.push(this.#value());
    }
    return items;
  }

  #map(info: number): JsonObject {
    // In the order of first appearance, and the last value of each.
    const members = new Map<string, JsonNode>();
    if (info === INDEFINITE) {
      while (!this.#ended()) members.set(this.#key(), this.#value());
    } else {
      const count = this.#length(info, 2);
      for (let i = 0; i < count; i++) members.set(this.#key(), this.#value());
    }
    return new JsonObject([...members.keys()], [...members.values()]);
  }

  #key(): string {
    for (;;) {
      const head = this.#head();
      const info = head & 0x1f;
      switch (head >> 5) {
        case 0: {
          const key = this.#argument(info);
          return this.reading.integerName?.(key) ?? String(key);
        }
        case 1: {
          const key = this.#argument(info);
          return (typeof key === 'number' && this.reading.integerName?.(-1 - key)) || String(minusOne(key));
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

  /** @param tag tags around a tag are read in a row: nothing here nests with them, but in a decimal fraction */
  #tagged(tag: number | bigint): JsonNode {
    let outer = tag;
    for (;;) {
      if (outer === TAG_BIGNUM || outer === TAG_NEGATIVE_BIGNUM) return this.#bignum(outer === TAG_NEGATIVE_BIGNUM);
      if (outer === TAG_DECIMAL_FRACTION) return this.#nested(() => this.#decimalFraction());
      const head = this.#peek();
      if (head >> 5 !== 6) return this.#value();
      this.#count();
      this.#at++;
      outer = this.#argument(head & 0x1f);
    }
  }

  #bignum(isNegative: boolean): JsonNode {
    const head = this.#head();
    if (head >> 5 !== 2) throw this.#fault('a bignum that is no byte string');
    const bytes = this.#string(head & 0x1f, 2);
    let start = 0;
    while (bytes[start] === 0) start++;
    if (bytes.length - start > MAX_BIGNUM_BYTES) throw this.#fault('a bignum too long');
    const magnitude = BigInt(`0x0${bytes.toString('hex', start)}`);
    return isNegative ? negative(magnitude) : integer(magnitude);
  }

  /** RFC 8949 section 3.4.4. */
  #decimalFraction(): JsonNode {
    const start = this.#start;
    const node = this.#value();
    const [exponent = '', mantissa = ''] = Array.isArray(node) && node.length === 2 ? node.map(numberText) : [];
    const number = EXPONENT.test(exponent) && INTEGER.test(mantissa) ? Number(`${mantissa}e${exponent}`) : Number.NaN;
    if (!Number.isFinite(number)) throw this.#fault('a decimal fraction that no double holds', start);
    return new JsonNumber(doubleValue(number));
  }

  #simple(head: number, info: number): JsonNode {
    switch (info) {
      case 20:
        return false;
      case 21:
        return true;
      case 22:
      case 23:
        return null;
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
    const head = this.#head();
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
    if (byte === undefined) throw this.#fault('cut short', this.#at);
    return byte;
  }

  /** The first byte of an item. */
  #head(): number {
    this.#start = this.#at;
    return this.#byte();
  }

  #byte(): number {
    const byte = this.#peek();
    this.#at++;
    return byte;
  }

  /** @returns where the bytes that are taken begin */
  #take(length: number): number {
    const start = this.#at;
    if (start + length > this.bytes.length) throw this.#fault('cut short', this.bytes.length);
    this.#at = start + length;
    return start;
  }

  #count(): void {
    if (++this.#values <= MAX_VALUES) return;
    const { tooMany } = this.reading;
    throw tooMany === undefined ? this.#fault(`more than ${MAX_VALUES} values`) : badPayload(tooMany);
  }

  /** @param at the byte that is named, counted from 0 */
  #fault(what: string, at = this.#start) {
    return badPayload(`Not CBOR: ${what} at byte ${at}`);
  }
}

const minusOne = (argument: number | bigint): number | bigint =>
  typeof argument === 'number' ? -1 - argument : -1n - argument;

const negative = (argument: number | bigint): JsonNode => integer(minusOne(argument));

const integer = (n: number | bigint): JsonNode =>
  typeof n === 'number' && n > -MAX_PLAIN_INTEGER && n < MAX_PLAIN_INTEGER ? n : new JsonNumber(String(n));

const float = (n: number): JsonNode => (Number.isFinite(n) ? new JsonNumber(doubleValue(n)) : String(n));

const numberText = (node: JsonNode): string =>
  typeof node === 'number' ? String(node) : node instanceof JsonNumber ? node.text : '';
