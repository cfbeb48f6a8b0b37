import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import {
  type Clock,
  type Logger,
  looksLikeKey,
  type Millis,
  makeSecretBox,
  parseSecretKeys,
  quietLogger,
  type Random,
  type SecretBox,
  type Settings,
  systemClock,
  TandemError,
} from '@tandem/core';

/** Many times what keys need: something else was named by mistake. */
const MAX_BYTES = 65_536;
const OTHERS = 0o077;
/** How often it is said that a key is missing. */
const SAY_AGAIN: Millis = 60_000;

/** Says in the log what the callers are not told. */
class TellingBox implements SecretBox {
  constructor(
    private readonly box: SecretBox,
    private readonly logger: Logger,
  ) {}

  get keyIds(): readonly string[] {
    return this.box.keyIds;
  }

  seal(text: string, place: string): string {
    return this.box.seal(text, place);
  }

  open(text: string, place: string): string {
    try {
      return this.box.open(text, place);
    } catch (error) {
      if (error instanceof TandemError && error.code === 'STORE_UNAVAILABLE' && error.cause instanceof Error) {
        this.logger.error('a stored secret cannot be read', { error: error.cause.message, keyIds: this.keyIds });
      }
      throw error;
    }
  }
}

/**
 * What seals the secrets in the store, out of the file that the settings name; with none nothing is sealed.
 * @throws Error in one line that names the setting and repeats nothing of the file
 */
export function readSecretBox(
  settings: Settings,
  random: Random,
  logger: Logger,
  clock: Clock = systemClock,
): SecretBox {
  return new TellingBox(readBox(settings, random, logger), quietLogger(logger, clock, SAY_AGAIN));
}

function readBox(settings: Settings, random: Random, logger: Logger): SecretBox {
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
    const { code, message } = error as NodeJS.ErrnoException;
    throw refusal(file, code === 'EISDIR' ? 'it is a folder' : message);
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
  looksLikeKey(file)
    ? new Error('What is given looks like the key itself: name a file that has it (TANDEM_SECRET_KEY_FILE)')
    : new Error(
        `Key file ${file} cannot be used: ${reason} (TANDEM_SECRET_KEY_FILE; openssl rand -hex 32 makes a key)`,
      );
