import { badPayload } from '../bad-payload';
import { END_GROUP, FIXED_32, FIXED_64, LENGTH_DELIMITED, START_GROUP, VARINT } from './wire-types';

/** Groups within groups that are stepped over, as the reference implementations have it. */
const MAX_GROUPS = 100;

/** How much one payload may still make the process do. */
export class Room {
  constructor(
    private left: number,
    private readonly refusal: string,
  ) {}

  /** @throws TandemError BAD_PAYLOAD */
  take(amount: number): void {
    this.left -= amount;
    if (this.left < 0) throw badPayload(this.refusal);
  }
}

/**
 * The wire format of protobuf, from the first byte to `end`. What is malformed or cut short is BAD_PAYLOAD, and nothing is
 * read beyond the end. 64-bit values are left in two halves: most are small, and a BigInt is dear.
 */
export class WireReader {
  /** Lower half of the varint or fixed value that was read last; to be taken as signed or unsigned. */
  low = 0;
  high = 0;

  constructor(
    private readonly bytes: Buffer,
    /** Every field costs of it, known or not: they can be two bytes each. */
    private readonly room: Room,
    private at = 0,
    private readonly end = bytes.length,
  ) {}

  get done(): boolean {
    return this.at === this.end;
  }

  /** @returns field number and wire type, as `number << 3 | type` without a sign */
  tag(): number {
    this.room.take(1);
    this.varint();
    const tag = this.low >>> 0;
    if (this.high !== 0 || tag >>> 3 === 0) throw malformed('a field has no number');
    return tag;
  }

  varint(): void {
    const { bytes } = this;
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.at === this.end) throw cutShort();
      const byte = bytes[this.at++] ?? 0;
      if (shift < 28) {
        low |= (byte & 0x7f) << shift;
      } else if (shift === 28) {
        low |= byte << 28;
        high = (byte & 0x7f) >>> 4;
      } else {
        high |= (byte & 0x7f) << (shift - 32);
      }
      if (byte < 0x80) {
        this.low = low;
        this.high = high;
        return;
      }
    }
    throw malformed('a number is longer than ten bytes');
  }

  fixed32(): void {
    this.low = this.bytes.readInt32LE(this.#step(4));
    this.high = 0;
  }

  fixed64(): void {
    const at = this.#step(8);
    this.low = this.bytes.readInt32LE(at);
    this.high = this.bytes.readInt32LE(at + 4);
  }

  float(): number {
    return this.bytes.readFloatLE(this.#step(4));
  }

  double(): number {
    return this.bytes.readDoubleLE(this.#step(8));
  }

  signed64(): bigint {
    return (BigInt(this.high | 0) << 32n) | BigInt(this.low >>> 0);
  }

  unsigned64(): bigint {
    return (BigInt(this.high >>> 0) << 32n) | BigInt(this.low >>> 0);
  }

  /** The bytes of a string, a message or packed values, not copied. */
  chunk(): Buffer {
    const length = this.#length();
    const at = this.#step(length);
    return this.bytes.subarray(at, at + length);
  }

  /** What {@link chunk} would give, to be read itself. */
  inner(): WireReader {
    const length = this.#length();
    const at = this.#step(length);
    return new WireReader(this.bytes, this.room, at, at + length);
  }

  /** Steps over the value of a field that nobody knows, groups with all that is in them. */
  skip(tag: number): void {
    const groups: number[] = [];
    for (let current = tag; ; current = this.tag()) {
      this.#skipOne(current, groups);
      if (groups.length === 0) return;
    }
  }

  #skipOne(tag: number, groups: number[]): void {
    switch (tag & 7) {
      case VARINT:
        this.varint();
        return;
      case FIXED_64:
        this.#step(8);
        return;
      case LENGTH_DELIMITED:
        this.#step(this.#length());
        return;
      case START_GROUP:
        if (groups.push(tag >>> 3) > MAX_GROUPS) throw malformed('groups are nested too deep');
        return;
      case END_GROUP:
        if (groups.pop() !== tag >>> 3) throw malformed('a group ends that did not begin');
        return;
      case FIXED_32:
        this.#step(4);
        return;
      default:
        throw malformed('a field is of no known kind');
    }
  }

  #length(): number {
    this.varint();
    if (this.high !== 0) throw cutShort();
    return this.low >>> 0;
  }

  /** @returns where it was before */
  #step(bytes: number): number {
    const { at } = this;
    if (bytes > this.end - at) throw cutShort();
    this.at = at + bytes;
    return at;
  }
}

const malformed = (what: string) => badPayload(`Not protobuf: ${what}`);
const cutShort = () => malformed('the payload is cut short');
