import { littleEndianHex } from './little-endian-hex';
import type { RunningChecksum } from './running-checksum';

/** Of ISO 3309, bits reversed. */
const POLYNOMIAL = 0xedb88320;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  return crc;
});

/** CRC-32 as in zlib, written as Guava does: the least significant byte first. */
export class Crc32 implements RunningChecksum {
  #crc = -1;

  update(chunk: Uint8Array): void {
    let crc = this.#crc;
    for (let at = 0; at < chunk.length; at++) crc = (TABLE[(crc ^ (chunk[at] ?? 0)) & 0xff] ?? 0) ^ (crc >>> 8);
    this.#crc = crc;
  }

  digest(): string {
    return littleEndianHex(~this.#crc);
  }
}
