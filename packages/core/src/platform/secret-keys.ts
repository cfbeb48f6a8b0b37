const KEY_BYTES = 32;
const HEX = /^[0-9a-f]{64}$/i;
const BASE64 = /^[A-Za-z0-9+/]{43}=?$/;

/**
 * The keys of a key file: one a line, 32 bytes in hexadecimal or base64; empty lines and those that begin with # say nothing.
 * @throws Error that says in one line what is wrong, and never repeats what stands there
 */
export function parseSecretKeys(text: string): readonly Buffer[] {
  const keys: Buffer[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const said = line.trim();
    if (said === '' || said.startsWith('#')) continue;
    const key = readKey(said);
    if (!key) throw new Error(`line ${index + 1} is no key of ${KEY_BYTES} bytes in hexadecimal or base64`);
    if (keys.some((other) => other.equals(key))) throw new Error(`line ${index + 1} repeats a key`);
    keys.push(key);
  }
  if (keys.length === 0) throw new Error('there is no key in it');
  return keys;
}

/** Whether somebody gives a key, or the contents of the file, where its name belongs. */
export const looksLikeKey = (text: string): boolean =>
  text.split(/\s+/).some((word) => readKey(word) !== undefined || /^[0-9a-f]{32,}$/i.test(word));

function readKey(text: string): Buffer | undefined {
  if (HEX.test(text)) return Buffer.from(text, 'hex');
  return BASE64.test(text) ? Buffer.from(text, 'base64') : undefined;
}
