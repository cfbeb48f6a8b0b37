import { readFileSync } from 'node:fs';
import { SETTINGS, type Setting, SettingsError } from '@tandem/core';

type Source = Readonly<Record<string, string | undefined>>;

/** Many times what a password has: something else was named by mistake. */
const MAX_BYTES = 65_536;

const SECRETS = (Object.entries(SETTINGS) as [string, Setting<unknown>][])
  .filter(([, { secret }]) => secret)
  .map(([name]) => name);

/**
 * Every secret can be in a file of its own instead, where container engines put secrets and no list of processes or environments
 * shows them: `NAME_FILE` names it, and is `NAME` in what is returned. The end of its last line does not count.
 * @throws SettingsError with all problems at once; nothing of a file is in it
 */
export function withSecretFiles(given: Source): Source {
  const problems: string[] = [];
  const source = { ...given };
  for (const name of SECRETS) {
    const fileName = `${name}_FILE`;
    const path = given[fileName];
    delete source[fileName];
    if (!path) continue;
    if (given[name]) problems.push(`${fileName} and ${name} are both given: leave one out`);
    else source[name] = secretIn(path, (reason) => problems.push(`${fileName}: ${path} ${reason}`));
  }
  if (problems.length > 0) throw new SettingsError(problems);
  return source;
}

function secretIn(path: string, refuse: (reason: string) => void): string | undefined {
  try {
    const secret = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
    if (secret.length > MAX_BYTES) refuse(`has more than ${MAX_BYTES} bytes: it cannot be what the setting means`);
    else if (secret === '') refuse('is empty');
    else return secret;
  } catch (error) {
    refuse(whyNot(error as NodeJS.ErrnoException));
  }
  return undefined;
}

function whyNot({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'is not there';
  if (code === 'EACCES') return 'may not be read by the user of this process: change who owns the file, or its mode';
  return `cannot be read: ${message}`;
}
