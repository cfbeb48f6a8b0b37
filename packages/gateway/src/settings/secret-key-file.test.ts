import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, makeSecretBox, readSettings, silentLogger, systemRandom } from '@tandem/core';
import { printSettings } from './config-commands';
import { readSecretBox } from './secret-key-file';

const KEY = '0123456789abcdef'.repeat(4);

describe('The key file', () => {
  let folder: string;
  let file: string;
  let warnings: string[];
  let errors: string[];
  const logger: Logger = {
    ...silentLogger,
    warn: (message) => void warnings.push(message),
    error: (message) => void errors.push(message),
  };
  const read = (named = file) => readSecretBox(readSettings({ TANDEM_SECRET_KEY_FILE: named }), systemRandom, logger);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tandem-test-'));
    file = join(folder, 'key');
    warnings = [];
    errors = [];
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
    ['is a folder', () => void mkdirSync(file), 'cannot be used: it is a folder'],
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

  it.each([
    ['in hexadecimal', KEY],
    ['in base64', Buffer.alloc(32, 250).toString('base64')],
    ['cut off', KEY.slice(3)],
    ['with the file around it', `# mine\n${KEY}\n`],
  ])('that is the key itself, %s, is not repeated', (_, key) => {
    expect(() => read(key)).toThrow(
      'What is given looks like the key itself: name a file that has it (TANDEM_SECRET_KEY_FILE)',
    );
    const given = jest.replaceProperty(process, 'env', { TANDEM_SECRET_KEY_FILE: key });
    const printed = printSettings(undefined);
    given.restore();
    expect(printed).toContain('TANDEM_SECRET_KEY_FILE=[redacted]');
    expect(printed).not.toContain(key);
  });

  it('is said to lack a key in the log, and not to who asks', () => {
    const strange = makeSecretBox([Buffer.alloc(32, 9)], systemRandom).seal('text', 'place');
    writeFileSync(file, KEY, { mode: 0o600 });
    const box = read();
    for (let n = 0; n < 2; n++) {
      expect(() => box.open(strange, 'place')).toThrow(
        expect.objectContaining({ code: 'STORE_UNAVAILABLE', message: 'The store cannot serve this' }),
      );
    }
    expect(errors).toEqual(['a stored secret cannot be read']);
  });

  it('that never ends is not read to its end', () => {
    expect(() => read('/dev/zero')).toThrow('more than 65536 bytes');
  });
});
