/** The value of a Block1 or Block2 option (RFC 7959 section 2.2); -1 stands for an absent option. */
export function blockNumber(value: number): number {
  return value < 0 ? 0 : value >>> 4;
}

export function blockMore(value: number): boolean {
  return value >= 0 && (value & 8) !== 0;
}

/** 0 to 6: blocks of 16 to 1024 bytes. */
export function blockExponent(value: number): number {
  return value < 0 ? MAX_EXPONENT : value & 7;
}

export function blockSize(exponent: number): number {
  return 16 << exponent;
}

export function blockOption(number: number, more: boolean, exponent: number): number {
  return (number << 4) | (more ? 8 : 0) | exponent;
}

/** The same block with a size of at most `largest`: what a server that wants smaller ones answers (section 2.5). */
export function withExponentUpTo(largest: number, value: number): number {
  return blockExponent(value) <= largest ? value : (value & ~7) | largest;
}

/** 1024 bytes: the largest block of RFC 7959, and what contract 2.1 prefers. */
const MAX_EXPONENT = 6;

/** Block numbers have 20 bits. */
export const MAX_BLOCKS = 1 << 20;
