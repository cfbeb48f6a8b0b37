import { badPayload } from '../bad-payload';
import { type Decimal, isZero, parseDecimal, plainDigits, plainText } from '../decimal';
import { MAX_PLAIN_DIGITS } from '../typing';

/**
 * A base value and a value added up as decimals: 20.1 and 0.3 are 20.4 here. With a point where one of the two has a point or
 * an exponent, so that a float stays one.
 * @param one JSON numbers
 * @throws TandemError BAD_PAYLOAD when a number is too long to be written out
 */
export function sumOf(one: string, other: string): string {
  const terms = [parseDecimal(one), parseDecimal(other)];
  if (terms.some((term) => plainDigits(term) > MAX_PLAIN_DIGITS)) {
    throw badPayload(`Not SenML: a number of more than ${MAX_PLAIN_DIGITS} digits`);
  }
  const scale = Math.max(0, ...terms.map((term) => (isZero(term) ? 0 : term.scale)));
  const total = terms.reduce((sum, term) => sum + scaled(term, scale), 0n);
  const digits = String(total < 0n ? -total : total);
  const text = plainText({ negative: total < 0n, digits, scale });
  return text.includes('.') || !(isFloat(one) || isFloat(other)) ? text : `${text}.0`;
}

const isFloat = (number: string): boolean => /[.eE]/.test(number);

/** The whole number that is the decimal times ten to the power of `scale`. */
function scaled(decimal: Decimal, scale: number): bigint {
  if (isZero(decimal)) return 0n;
  const magnitude = BigInt(decimal.digits) * 10n ** BigInt(scale - decimal.scale);
  return decimal.negative ? -magnitude : magnitude;
}
