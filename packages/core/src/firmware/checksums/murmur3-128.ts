import { littleEndianHex } from './little-endian-hex';
import type { RunningChecksum } from './running-checksum';

const BLOCK = 16;

/**
 * 64-bit numbers as two 32-bit halves in a place that is used again and again: BigInt would be forty times slower, and a file
 * is hashed on the thread that serves everybody.
 */
class Word {
  high = 0;
  low = 0;

  set(high: number, low: number): this {
    this.high = high | 0;
    this.low = low | 0;
    return this;
  }

  copy({ high, low }: Word): this {
    return this.set(high, low);
  }

  xor({ high, low }: Word): this {
    return this.set(this.high ^ high, this.low ^ low);
  }

  add(high: number, low: number): this {
    const sum = (this.low >>> 0) + (low >>> 0);
    return this.set(this.high + high + (sum > 0xffffffff ? 1 : 0), sum);
  }

  multiply(high: number, low: number): this {
    const [a0, a1] = [this.low & 0xffff, this.low >>> 16];
    const [b0, b1] = [low & 0xffff, low >>> 16];
    const lowest = a0 * b0;
    const middle = a1 * b0 + (lowest >>> 16);
    // Below 2^33: exact.
    const other = a0 * b1 + (middle % 0x10000);
    const carried = a1 * b1 + Math.floor(middle / 0x10000) + Math.floor(other / 0x10000);
    const highest = carried + Math.imul(this.high, low) + Math.imul(this.low, high);
    return this.set(highest, Math.imul(this.low, low));
  }

  /** @param by 1 to 63 */
  rotate(by: number): this {
    const { high, low } = this;
    if (by === 32) return this.set(low, high);
    if (by < 32) return this.set((high << by) | (low >>> (32 - by)), (low << by) | (high >>> (32 - by)));
    return this.set((low << (by - 32)) | (high >>> (64 - by)), (high << (by - 32)) | (low >>> (64 - by)));
  }

  /** The last mixing of MurmurHash3: no bit of it without an effect on each other. */
  finish(): this {
    return this.#fold().multiply(0xff51afd7, 0xed558ccd).#fold().multiply(0xc4ceb9fe, 0x1a85ec53).#fold();
  }

  /** XOR with itself, shifted right by 33. */
  #fold(): this {
    return this.set(this.high, this.low ^ (this.high >>> 1));
  }
}

/** MurmurHash3_x64_128 with seed 0. */
export class Murmur3x128 implements RunningChecksum {
  readonly #h1 = new Word();
  readonly #h2 = new Word();
  readonly #k = new Word();
  readonly #rest = new Uint8Array(BLOCK);
  readonly #restView = new DataView(this.#rest.buffer);
  #length = 0;

  update(chunk: Uint8Array): void {
    let at = 0;
    const waiting = this.#length % BLOCK;
    this.#length += chunk.length;
    if (waiting > 0) {
      at = Math.min(BLOCK - waiting, chunk.length);
      this.#rest.set(chunk.subarray(0, at), waiting);
      if (waiting + at < BLOCK) return;
      this.#block(this.#restView, 0);
    }
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (; at + BLOCK <= chunk.length; at += BLOCK) this.#block(view, at);
    this.#rest.set(chunk.subarray(at));
  }

  digest(): string {
    const [h1, h2] = [this.#h1, this.#h2];
    const left = this.#length % BLOCK;
    this.#rest.fill(0, left);
    if (left > 8) h2.xor(this.#second(this.#restView, 0));
    if (left > 0) h1.xor(this.#first(this.#restView, 0));
    const [lengthHigh, lengthLow] = [Math.floor(this.#length / 0x100000000), this.#length | 0];
    h1.set(h1.high ^ lengthHigh, h1.low ^ lengthLow);
    h2.set(h2.high ^ lengthHigh, h2.low ^ lengthLow);
    h1.add(h2.high, h2.low);
    h2.add(h1.high, h1.low);
    h1.finish();
    h2.finish();
    h1.add(h2.high, h2.low);
    h2.add(h1.high, h1.low);
    return littleEndianHex(h1.low, h1.high, h2.low, h2.high);
  }

  #block(view: DataView, at: number): void {
    const [h1, h2] = [this.#h1, this.#h2];
    h1.xor(this.#first(view, at)).rotate(27).add(h2.high, h2.low).multiply(0, 5).add(0, 0x52dce729);
    h2.xor(this.#second(view, at)).rotate(31).add(h1.high, h1.low).multiply(0, 5).add(0, 0x38495ab5);
  }

  #first(view: DataView, at: number): Word {
    const k = this.#k.set(view.getUint32(at + 4, true), view.getUint32(at, true));
    return k.multiply(0x87c37b91, 0x114253d5).rotate(31).multiply(0x4cf5ad43, 0x2745937f);
  }

  #second(view: DataView, at: number): Word {
    const k = this.#k.set(view.getUint32(at + 12, true), view.getUint32(at + 8, true));
    return k.multiply(0x4cf5ad43, 0x2745937f).rotate(33).multiply(0x87c37b91, 0x114253d5);
  }
}
