import { badPayload } from '../bad-payload';
import { type Decimal, isZero, parseDecimal, plainDigits, plainText } from '../decimal';
import { doubleValue } from '../value';

/** Longer numbers are added as doubles, which is all that SenML asks for (RFC 8428 section 5). */
const MAX_EXACT_DIGITS = 40;

/**
 * A base value and a value added up as decimals: 20.1 and 0.3 are 20.4 here. With a point where one of the two has a point or
 * an exponent, so that a float stays one.
 * @param one JSON numbers
 * @throws TandemError BAD_PAYLOAD when no double holds the sum
 */
export function sumOf(one: string, other: string): string {
  const terms = [parseDecimal(one), parseDecimal(other)];
  if (terms.some((term) => plainDigits(term) > MAX_EXACT_DIGITS)) {
    const double = Number(one) + Number(other);
    if (!Number.isFinite(double)) throw badPayload('Not SenML: a number that no double holds');
    return doubleValue(double);
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
