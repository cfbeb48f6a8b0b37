import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemRandom } from '@tandem/core';
import { InitialPassword } from './initial-password';

describe('The first administrator’s password', () => {
  let folder: string;
  const another = () => new InitialPassword(join(folder, 'data'), systemRandom);
  const files = () => readdirSync(join(folder, 'data'));
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tandem-test-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('of those who start at once on one folder, the one that counts gets the name; the others leave nothing', async () => {
    const [winner, loser] = [another(), another()];
    const password = winner.draft();
    loser.draft();
    const fits = async (candidate: string) => candidate === password;
    winner.keep();
    expect(await loser.settle(fits)).toBe(false);
    expect(files()).toEqual(['initial-admin-password']);
    expect(readFileSync(winner.file, 'utf8')).toBe(`${password}\n`);
    expect(statSync(winner.file).mode & 0o777).toBe(0o600);
  });

  it('is not lost when the process dies after the account was made', async () => {
    const password = another().draft();
    const next = another();
    expect(await next.settle(async (candidate) => candidate === password)).toBe(true);
    expect(files()).toEqual(['initial-admin-password']);
    expect(readFileSync(next.file, 'utf8')).toBe(`${password}\n`);
    expect(await another().settle(async () => true)).toBe(false);
  });

  it('replaces that of an account that is gone', () => {
    const first = another();
    first.draft();
    first.keep();
    const second = another();
    const password = second.draft();
    second.keep();
    expect(readFileSync(second.file, 'utf8')).toBe(`${password}\n`);
    expect(files()).toHaveLength(1);
  });

  it('needs no folder where nothing is written, and says which setting is wrong where nothing can be', async () => {
    expect(await another().settle(async () => true)).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
    writeFileSync(join(folder, 'data'), '');
    expect(() => another().draft()).toThrow(/\(TANDEM_DATA_DIR/);
  });
});
