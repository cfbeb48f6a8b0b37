import { isJsonArray, type JsonNode, JsonNumber, JsonObject } from '../json-node';
import { MAX_PLAIN_DIGITS } from '../typing';
import { halfFloatBits, isSingle } from './half-float';

const UINT64_MAX = 0xffff_ffff_ffff_ffffn;
const TAG_BIGNUM = 0xc2;
const TAG_NEGATIVE_BIGNUM = 0xc3;
const FIRST_ROOM = 256;

export interface CborWriting {
  /** The integer that stands for a member's name; undefined: the name itself. */
  readonly integerKey?: (name: string) => number | undefined;
}

/**
 * JSON as CBOR in its preferred serialisation (RFC 8949 section 4.1): definite lengths, the shortest form of every integer
 * and the shortest float that is exact. A number written with a point or an exponent is a float, any other an integer, a
 * bignum beyond 64 bits. A number that a double cannot hold is the text of its digits.
 */
export function writeCbor(node: JsonNode, writing: CborWriting = {}): Buffer {
  const writer = new CborWriter(writing);
  writer.value(node);
  return writer.finish();
}

class CborWriter {
  #bytes = Buffer.allocUnsafe(FIRST_ROOM);
  #at = 0;

  constructor(private readonly writing: CborWriting) {}

  finish(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  value(node: JsonNode): void {
    if (node === null) this.#byte(0xf6);
    else if (typeof node === 'boolean') this.#byte(node ? 0xf5 : 0xf4);
    else if (typeof node === 'string') this.#text(node);
    else if (typeof node === 'number') this.#integer(node);
    else if (node instanceof JsonNumber) this.#number(node.text);
    else if (node instanceof JsonObject) this.#map(node);
    else if (isJsonArray(node)) {
      this.#head(4, node.length);
      for (const item of node) this.value(item);
    }
  }

  #map({ names, values }: JsonObject): void {
    this.#head(5, names.length);
    for (let i = 0; i < names.length; i++) {
      const name = names[i] ?? '';
      const key = this.writing.integerKey?.(name);
      if (key === undefined) this.#text(name);
      else this.#integer(key);
      this.value(values[i] ?? null);
    }
  }

  #number(text: string): void {
    if (/[.eE]/.test(text)) {
      const double = Number(text);
      if (Number.isFinite(double)) this.#float(double);
      else this.#text(text);
    } else if (text.length > MAX_PLAIN_DIGITS) {
      this.#text(text);
    } else {
      this.#bigInteger(BigInt(text));
    }
  }

  #bigInteger(n: bigint): void {
    const magnitude = n < 0n ? -1n - n : n;
    if (magnitude <= UINT64_MAX) {
      this.#head(n < 0n ? 1 : 0, magnitude);
      return;
    }
    const hex = magnitude.toString(16);
    const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
    this.#byte(n < 0n ? TAG_NEGATIVE_BIGNUM : TAG_BIGNUM);
    this.#head(2, bytes.length);
    const at = this.#room(bytes.length);
    bytes.copy(this.#bytes, at);
  }

  #integer(n: number): void {
    if (n < 0) this.#head(1, -1 - n);
    else this.#head(0, n);
  }

  #float(n: number): void {
    const half = halfFloatBits(n);
    if (half !== undefined) {
      this.#byte(0xf9);
      const at = this.#room(2);
      this.#bytes.writeUInt16BE(half, at);
    } else if (isSingle(n)) {
      this.#byte(0xfa);
      const at = this.#room(4);
      this.#bytes.writeFloatBE(n, at);
    } else {
      this.#byte(0xfb);
      const at = this.#room(8);
      this.#bytes.writeDoubleBE(n, at);
    }
  }

  #text(text: string): void {
    const length = Buffer.byteLength(text);
    this.#head(3, length);
    const at = this.#room(length);
    this.#bytes.write(text, at, 'utf8');
  }

  #head(major: number, argument: number | bigint): void {
    const type = major << 5;
    if (argument < 24) {
      this.#byte(type | Number(argument));
    } else if (argument < 0x100) {
      this.#byte(type | 24);
      this.#byte(Number(argument));
    } else if (argument < 0x1_0000) {
      this.#byte(type | 25);
      const at = this.#room(2);
      this.#bytes.writeUInt16BE(Number(argument), at);
    } else if (argument < 0x1_0000_0000) {
      this.#byte(type | 26);
      const at = this.#room(4);
      this.#bytes.writeUInt32BE(Number(argument), at);
    } else {
      this.#byte(type | 27);
      const at = this.#room(8);
      this.#bytes.writeBigUInt64BE(BigInt(argument), at);
    }
  }

  #byte(byte: number): void {
    const at = this.#room(1);
    this.#bytes[at] = byte;
  }

  /** Takes so many bytes; `#bytes` may be another buffer from then on. @returns where they begin */
  #room(length: number): number {
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#at, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, start);
      this.#bytes = larger;
    }
    return start;
  }
}
