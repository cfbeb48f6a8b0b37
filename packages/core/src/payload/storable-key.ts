/** Longer keys are not stored (contract 3.5). */
export const MAX_KEY_LENGTH = 255;

/** What a page that shows the key could take for the beginning of a tag, a comment or an instruction. */
const MARKUP = /<[a-z!/?]/i;
const NUL = '\u0000';

/** Why a key is not stored, to be put behind "the key" (contract 3.5); undefined: it is. */
export function keyFault(key: string): string | undefined {
  if (key.trim() === '') return 'is blank';
  if (key.length > MAX_KEY_LENGTH) return `is longer than ${MAX_KEY_LENGTH} characters`;
  if (key.includes('<') && MARKUP.test(key)) return 'looks like HTML';
  if (key.includes(NUL)) return 'has a character of code 0';
  return undefined;
}
