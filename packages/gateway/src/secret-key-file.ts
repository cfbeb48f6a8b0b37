import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { type Logger, makeSecretBox, parseSecretKeys, type Random, type SecretBox, type Settings } from '@tandem/core';

/** Many times what keys need: something else was named by mistake. */
const MAX_BYTES = 65_536;
const OTHERS = 0o077;

/**
 * What seals the secrets in the store, out of the file that the settings name; with none nothing is sealed.
 * @throws Error in one line that names the setting and repeats nothing of the file
 */
export function readSecretBox(settings: Settings, random: Random, logger: Logger): SecretBox {
  const file = settings.TANDEM_SECRET_KEY_FILE;
  if (file === undefined) return makeSecretBox([], random);
  const { text, shared } = read(file);
  if (shared) logger.warn('others than its owner can read the key file: chmod 600', { file });
  try {
    return makeSecretBox(parseSecretKeys(text), random);
  } catch (error) {
    throw refusal(file, (error as Error).message);
  }
}

function read(file: string): { readonly text: string; readonly shared: boolean } {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw refusal(file, code === 'ENOENT' ? 'there is no such file' : message);
  }
  try {
    const stats = fstatSync(descriptor);
    const shared = stats.isFile() && process.platform !== 'win32' && (stats.mode & OTHERS) !== 0;
    return { text: readBounded(descriptor), shared };
  } catch (error) {
    throw refusal(file, (error as Error).message);
  } finally {
    closeSync(descriptor);
  }
}

function readBounded(descriptor: number): string {
  const bytes = Buffer.alloc(MAX_BYTES + 1);
  let length = 0;
  for (;;) {
    const read = readSync(descriptor, bytes, length, bytes.length - length, null);
    if (read === 0) return bytes.toString('utf8', 0, length);
    length += read;
    if (length > MAX_BYTES) throw new Error(`it has more than ${MAX_BYTES} bytes`);
  }
}

const refusal = (file: string, reason: string) =>
  new Error(`Key file ${file} cannot be used: ${reason} (TANDEM_SECRET_KEY_FILE; openssl rand -hex 32 makes a key)`);
