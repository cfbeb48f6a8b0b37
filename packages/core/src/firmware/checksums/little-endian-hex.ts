/** 32-bit words as hex, the least significant byte of each first: how Guava writes a number that is a hash. */
export function littleEndianHex(...words: readonly number[]): string {
  return words.map((word) => [0, 8, 16, 24].map((shift) => byteHex((word >>> shift) & 0xff)).join('')).join('');
}

const byteHex = (byte: number): string => byte.toString(16).padStart(2, '0');
