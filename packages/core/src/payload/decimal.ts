/** An exact decimal number: `digits` as an integer, divided by ten to the power of `scale`. */
export interface Decimal {
  readonly negative: boolean;
  /** Without leading zeros; `0` for zero. Zeros at the end stay as written. */
  readonly digits: string;
  /** How many of the digits stand after the point; negative where zeros have to be added. Exponent applied. */
  readonly scale: number;
}

/**
 * @param text a JSON number. Any length of digits or exponent: of an exponent beyond 2^53 only its hugeness is kept,
 * and no text is long enough to make up for it
 */
export function parseDecimal(text: string): Decimal {
  const negative = text.startsWith('-');
  const exponentAt = text.search(/[eE]/);
  const mantissa = text.slice(negative ? 1 : 0, exponentAt === -1 ? text.length : exponentAt);
  const exponent = exponentAt === -1 ? 0 : Number(text.slice(exponentAt + 1));
  const point = mantissa.indexOf('.');
  const written = point === -1 ? mantissa : mantissa.slice(0, point) + mantissa.slice(point + 1);
  return {
    negative,
    digits: written.replace(/^0+(?=.)/, ''),
    scale: (point === -1 ? 0 : mantissa.length - point - 1) - exponent,
  };
}

export const isZero = (decimal: Decimal): boolean => decimal.digits === '0';

export function isIntegral({ digits, scale }: Decimal): boolean {
  if (digits === '0') return true;
  let zeros = 0;
  while (digits.charCodeAt(digits.length - 1 - zeros) === 0x30) zeros++;
  return zeros >= scale;
}

/** How many digits {@link plainText} would write: to be asked first, as `1e999999999` would write a gigabyte. */
export function plainDigits({ digits, scale }: Decimal): number {
  if (digits === '0') return 1 + Math.max(scale, 0);
  return Math.max(digits.length - scale, 1) + Math.max(scale, 0);
}

/** Digits of the whole part, without sign; `0` where there is none. What stands after the point is cut off. */
export function wholeDigits({ digits, scale }: Decimal): string {
  if (digits === '0' || digits.length <= scale) return '0';
  return scale > 0 ? digits.slice(0, -scale) : digits + '0'.repeat(-scale);
}

/** Plain decimal notation, no exponent, with the written zeros after the point. Zero has no sign. */
export function plainText(decimal: Decimal): string {
  const { digits, scale } = decimal;
  const whole = wholeDigits(decimal);
  const fraction = scale > 0 ? `.${digits.padStart(scale, '0').slice(-scale)}` : '';
  return `${decimal.negative && !isZero(decimal) ? '-' : ''}${whole}${fraction}`;
}
