/** What is longer is left to the reader: here a piece of text is made for every space. */
const MAX_LENGTH = 512;

const SPACE = 0x20;
const DOUBLE_QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/**
 * The text without the spaces that follow a comma or a colon: as the JSON libraries of some languages write them by default. What it
 * is that has lost them is to be looked at by {@link countCanonicalMembers}: where that takes it, the reader would have made the
 * same of it with its spaces.
 * @returns undefined for a text that does not look like that, or has an escape
 */
export function withoutSpaces(text: string): string | undefined {
  if (text.charCodeAt(text.indexOf(':') + 1) !== SPACE || text.length > MAX_LENGTH) return undefined;
  let compact = '';
  let kept = 0;
  let inString = false;
  let previous = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) return undefined;
    if (code === DOUBLE_QUOTE) inString = !inString;
    if (code === SPACE && !inString && (previous === COMMA || previous === COLON)) {
      compact += text.slice(kept, at);
      kept = at + 1;
    } else {
      previous = code;
    }
  }
  return compact + text.slice(kept);
}
