import { FIXED_64, LENGTH_DELIMITED, VARINT } from './wire-types';

const MASK = 0x7fn;
const MORE = 0x80;

/** Writes fields in the wire format of protobuf, in the order of the calls. */
export class WireWriter {
  readonly #pieces: Buffer[] = [];

  finish(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  tag(number: number, wireType: number): void {
    this.varint(number * 8 + wireType);
  }

  varintField(number: number, value: number | bigint): void {
    this.tag(number, VARINT);
    this.varint(value);
  }

  doubleField(number: number, value: number): void {
    this.tag(number, FIXED_64);
    this.double(value);
  }

  /** @param value text becomes UTF-8 */
  bytesField(number: number, value: string | Buffer): void {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value;
    this.tag(number, LENGTH_DELIMITED);
    this.varint(bytes.length);
    this.#pieces.push(bytes);
  }

  /** @param value a negative one takes ten bytes, as of a signed 64-bit number */
  varint(value: number | bigint): void {
    const bytes: number[] = [];
    if (typeof value === 'number' && value >= 0 && value <= 0x7fffffff) {
      let rest = value;
      for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | MORE);
      bytes.push(rest);
    } else {
      let rest = BigInt.asUintN(64, BigInt(value));
      for (; rest > MASK; rest >>= 7n) bytes.push(Number(rest & MASK) | MORE);
      bytes.push(Number(rest));
    }
    this.#pieces.push(Buffer.from(bytes));
  }

  double(value: number): void {
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeDoubleLE(value);
    this.#pieces.push(bytes);
  }

  float(value: number): void {
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeFloatLE(value);
    this.#pieces.push(bytes);
  }

  fixed64(value: bigint): void {
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
    this.#pieces.push(bytes);
  }

  fixed32(value: number): void {
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeInt32LE(value | 0);
    this.#pieces.push(bytes);
  }
}
