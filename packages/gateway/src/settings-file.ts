import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { readSettings, type Settings } from '@tandem/core';

/**
 * @param file lines of `NAME=value`, as in the environment, which wins over it
 * @throws SettingsError, or an Error when the file cannot be read
 */
export function loadSettings(environment: NodeJS.ProcessEnv, file: string | undefined): Settings {
  return readSettings(environment, readSettingsFile(file));
}

export const readSettingsFile = (file: string | undefined): Record<string, string | undefined> =>
  file === undefined ? {} : parseEnv(readFileSync(file, 'utf8'));
