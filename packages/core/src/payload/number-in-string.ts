/** Linear on hostile input: no two parts can match the same digit. */
const NUMBER = /^-?(?:\d+(?:\.\d+)?|\.\d+)$/;
const DIGIT = /\p{Nd}/u;
/** One digit a match: a loop over such a class needs more stack than the expression engine has for a long string. */
const OTHER_DIGIT = /[^\P{Nd}0-9]/gu;

/**
 * The number a string stands for, as a JSON number: digits of any script with at most one point and an optional minus,
 * not ending with the point (contract 3.4, S1). Undefined for every other string.
 */
export function numberInString(text: string): string | undefined {
  if (!mayBeNumber(text.charCodeAt(0), text.charCodeAt(text.length - 1))) return undefined;
  return plainNumber(text) ?? plainNumber(text.replace(OTHER_DIGIT, westernDigit));
}

/** What most strings fail, before an expression looks at them: whether a number can begin and end like this. */
export const mayBeNumber = (first: number, last: number): boolean => canStart(first) && canEnd(last);

const canEnd = (code: number): boolean => (code >= 0x30 && code <= 0x39) || code >= 0x80;
const canStart = (code: number): boolean => canEnd(code) || code === 0x2d || code === 0x2e;

/** @returns undefined unless the text is made of digits as {@link numberInString} wants them, all of them 0 to 9 */
export function plainNumber(text: string): string | undefined {
  if (!NUMBER.test(text)) return undefined;
  return text.startsWith('0') || text.startsWith('-0') || text.includes('.') ? withoutLeadingZeros(text) : text;
}

/** Makes a JSON number of digits that begin with zeros or with the point: `007` is `7`, `-.5` is `-0.5`. */
function withoutLeadingZeros(number: string): string {
  const sign = number.startsWith('-') ? '-' : '';
  const digits = number.slice(sign.length).replace(/^0+(?=\d)/, '');
  return sign + (digits.startsWith('.') ? `0${digits}` : digits);
}

const digitValues = new Map<string, string>();

/** Unicode lists the digits of a script from 0 to 9 without a gap; scripts may follow each other without one. */
function westernDigit(digit: string): string {
  let value = digitValues.get(digit);
  if (value === undefined) {
    const code = digit.codePointAt(0) ?? 0;
    let zero = code;
    while (DIGIT.test(String.fromCodePoint(zero - 1))) zero--;
    value = String((code - zero) % 10);
    digitValues.set(digit, value);
  }
  return value;
}
