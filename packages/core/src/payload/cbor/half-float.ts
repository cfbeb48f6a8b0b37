const float = new Float32Array(1);
const floatBits = new Uint32Array(float.buffer);

/** The number that 16 bits of IEEE 754 stand for (RFC 8949 section 3.3). */
export function halfFloat(bits: number): number {
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

/** Whether 32 bits hold the number as it is. */
export const isSingle = (n: number): boolean => Math.fround(n) === n;

/** @returns the 16 bits that hold the number as it is; undefined where they cannot */
export function halfFloatBits(n: number): number | undefined {
  if (!isSingle(n)) return undefined;
  float[0] = n;
  const bits = floatBits[0] ?? 0;
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 127;
  const fraction = bits & 0x7f_ffff;
  if (n === 0) return sign;
  if (exponent > 15 || exponent < -24) return undefined;
  if (exponent >= -14) return fraction & 0x1fff ? undefined : sign | ((exponent + 15) << 10) | (fraction >> 13);
  // Below the smallest normal one: multiples of 2^-24.
  const whole = fraction | 0x80_0000;
  const shift = -1 - exponent;
  return whole & ((1 << shift) - 1) ? undefined : sign | (whole >> shift);
}
