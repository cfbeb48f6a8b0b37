import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { readSettings, type Settings, SettingsError } from '@tandem/core';
import { withSecretFiles } from './secret-files';

/** What settings are read from, secrets in files of their own included. */
export interface SettingsSources {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly file: Readonly<Record<string, string | undefined>>;
}

/**
 * @param file lines of `NAME=value`, as in the environment, which wins over it
 * @throws SettingsError, also when the file cannot be read
 */
export function loadSettings(environment: NodeJS.ProcessEnv, file: string | undefined): Settings {
  const sources = settingsSources(environment, file);
  return readSettings(sources.environment, sources.file);
}

/** @throws SettingsError when a file of settings or of a secret cannot be read */
export function settingsSources(environment: NodeJS.ProcessEnv, file: string | undefined): SettingsSources {
  return { environment: withSecretFiles(environment), file: withSecretFiles(readSettingsFile(file)) };
}

/** @throws SettingsError when the file is not there, or has a line that says nothing */
function readSettingsFile(file: string | undefined): Record<string, string | undefined> {
  if (file === undefined) return {};
  const text = readText(file);
  const problems = text.split('\n').flatMap((line, index) => {
    if (/^\s*(?:#.*|(?:export\s+)?[^\s=#]+\s*=.*)?$/.test(line)) return [];
    // Not the line itself: what stands there may be a secret.
    return [`line ${index + 1} of ${file} is not NAME=value`];
  });
  if (problems.length > 0) throw new SettingsError(problems);
  return parseEnv(text);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file' : message;
    throw new SettingsError([`settings file ${file} cannot be read: ${reason}`]);
  }
}
