/** A word of a POSIX shell that is this text and nothing else. */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

export const shellLine = (words: readonly string[]): string => words.map(shellWord).join(' ');

/**
 * Bytes as an argument, which a shell has no other way to write; undefined for those that none can be.
 * `$(...)` takes new lines away from the end, and no argument holds a zero.
 */
export function shellBytes(bytes: Buffer): string | undefined {
  if (bytes.includes(0) || bytes.at(-1) === 10) return undefined;
  const octal = Array.from(bytes, (byte) => `\\${byte.toString(8).padStart(3, '0')}`);
  return `"$(printf '${octal.join('')}')"`;
}

/** One segment of a path, which no client takes for anything else. */
export const segment = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
