import { littleEndianHex } from './little-endian-hex';
import type { RunningChecksum } from './running-checksum';

const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

/** MurmurHash3_x86_32 with seed 0. */
export class Murmur3x32 implements RunningChecksum {
  #hash = 0;
  #length = 0;
  /** Bytes that do not make a word of four yet, the first in the lowest place. */
  #rest = 0;

  update(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && this.#length % 4 !== 0) this.#byte(chunk[at++] ?? 0);
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const whole = at + ((chunk.length - at) & ~3);
    this.#length += whole - at;
    let hash = this.#hash;
    for (; at < whole; at += 4) hash = mixed(hash, view.getUint32(at, true));
    this.#hash = hash;
    while (at < chunk.length) this.#byte(chunk[at++] ?? 0);
  }

  digest(): string {
    return littleEndianHex(finished(this.#hash ^ scrambled(this.#rest) ^ (this.#length | 0)));
  }

  #byte(byte: number): void {
    this.#rest |= byte << (8 * (this.#length % 4));
    this.#length++;
    if (this.#length % 4 !== 0) return;
    this.#hash = mixed(this.#hash, this.#rest);
    this.#rest = 0;
  }
}

const rotated = (word: number, by: number): number => (word << by) | (word >>> (32 - by));

const scrambled = (word: number): number => Math.imul(rotated(Math.imul(word, C1), 15), C2);

const mixed = (hash: number, word: number): number =>
  (Math.imul(rotated(hash ^ scrambled(word), 13), 5) + 0xe6546b64) | 0;

function finished(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
