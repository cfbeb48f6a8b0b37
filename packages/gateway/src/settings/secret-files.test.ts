import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SettingsError } from '@tandem/core';
import { withSecretFiles } from './secret-files';
import { loadSettings } from './settings-file';

const PASSWORD = 'Yh4cWq8zKd2mTb6s';
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tandem-secrets-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

function problems(given: Record<string, string>): readonly string[] {
  try {
    withSecretFiles(given);
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
}

describe('A secret in a file of its own', () => {
  it('counts as if it were the setting, without the end of its line', () => {
    const file = write('password', ` ${PASSWORD} \n`);
    expect(loadSettings({ TANDEM_ADMIN_PASSWORD_FILE: file }, undefined).TANDEM_ADMIN_PASSWORD).toBe(` ${PASSWORD} `);
  });

  it('can be named in the file with the settings', () => {
    const file = write('redis', PASSWORD);
    const settings = write('tandem.env', `REDIS_URL=redis://redis\nREDIS_PASSWORD_FILE=${file}\n`);
    expect(loadSettings({}, settings).REDIS_URL?.password).toBe(PASSWORD);
    expect(loadSettings({ REDIS_PASSWORD: 'other' }, settings).REDIS_URL?.password).toBe('other');
  });

  it('is no way to give a setting that is no secret', () => {
    expect(() => loadSettings({ TANDEM_ADMIN_EMAIL_FILE: write('mail', 'a@b.c') }, undefined)).toThrow(
      'TANDEM_ADMIN_EMAIL_FILE is not a setting; the nearest is TANDEM_ADMIN_EMAIL',
    );
  });

  it('is not asked for where nothing is named', () => {
    expect(withSecretFiles({ TANDEM_ADMIN_PASSWORD_FILE: '', PATH: '/bin' })).toEqual({ PATH: '/bin' });
  });

  it('that cannot be used is told, each by the name of its setting and never by what is in it', () => {
    const told = problems({
      REDIS_URL_FILE: join(folder, 'nothing-here'),
      REDIS_PASSWORD: 'one',
      REDIS_PASSWORD_FILE: write('two', PASSWORD),
      TANDEM_ADMIN_PASSWORD_FILE: write('empty', '\n'),
      TANDEM_SYSADMIN_PASSWORD_FILE: folder,
      SSL_PEM_KEY_PASSWORD_FILE: write('long', PASSWORD.repeat(5_000)),
    });
    expect([...told].sort()).toEqual([
      'REDIS_PASSWORD_FILE and REDIS_PASSWORD are both given: leave one out',
      `REDIS_URL_FILE: ${folder}/nothing-here is not there`,
      `SSL_PEM_KEY_PASSWORD_FILE: ${folder}/long has more than 65536 bytes: it cannot be what the setting means`,
      `TANDEM_ADMIN_PASSWORD_FILE: ${folder}/empty is empty`,
      expect.stringContaining(`TANDEM_SYSADMIN_PASSWORD_FILE: ${folder} cannot be read: EISDIR`),
    ]);
  });
});
