import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, readSettings, silentLogger, systemRandom } from '@tandem/core';
import { readSecretBox } from './secret-key-file';

const KEY = '0123456789abcdef'.repeat(4);

describe('The key file', () => {
  let folder: string;
  let file: string;
  let warnings: string[];
  const logger: Logger = { ...silentLogger, warn: (message) => void warnings.push(message) };
  const read = (named = file) => readSecretBox(readSettings({ TANDEM_SECRET_KEY_FILE: named }), systemRandom, logger);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tandem-test-'));
    file = join(folder, 'key');
    warnings = [];
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('seals by its first key and opens by all, and is for its owner alone', () => {
    writeFileSync(file, `${KEY}\n${'11'.repeat(32)}\n`, { mode: 0o600 });
    expect(read().keyIds).toHaveLength(2);
    expect(warnings).toEqual([]);
    for (const mode of [0o640, 0o604]) {
      chmodSync(file, mode);
      expect(read().keyIds).toHaveLength(2);
    }
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toContain('chmod 600');
  });

  it('seals nothing where none is named', () => {
    expect(readSecretBox(readSettings({}), systemRandom, logger).keyIds).toEqual([]);
  });

  it.each([
    ['is not there', () => {}, 'there is no such file'],
    ['is a folder', () => void mkdirSync(file), 'EISDIR'],
    ['is empty', () => writeFileSync(file, ''), 'there is no key in it'],
    ['has a key that is too short', () => writeFileSync(file, KEY.slice(2)), 'line 1 is no key of 32 bytes'],
    ['is something else', () => writeFileSync(file, Buffer.alloc(70_000, 0xff)), 'more than 65536 bytes'],
  ])('that %s stops the start in one line, which names the setting and repeats nothing of it', (_, write, reason) => {
    write();
    const refused = (() => {
      try {
        return read();
      } catch (error) {
        return (error as Error).message;
      }
    })();
    expect(refused).toMatch(
      /^Key file [^\n]* cannot be used: [^\n]*\(TANDEM_SECRET_KEY_FILE; openssl rand -hex 32 makes a key\)$/,
    );
    expect(refused).toContain(reason);
    expect(refused).not.toContain(KEY.slice(2));
  });

  it('that never ends is not read to its end', () => {
    expect(() => read('/dev/zero')).toThrow('more than 65536 bytes');
  });
});
