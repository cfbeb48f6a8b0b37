import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MetricsRegistry, makeSecretBox, readSettings, silentLogger, systemClock, systemRandom } from '@tandem/core';
import { makeDataFolder, openStore } from './open-store';
import { Patience } from './patience';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tandem-store-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('The data folder', () => {
  it('is made with those above it, for its owner alone', () => {
    const data = join(folder, 'var', 'data');
    makeDataFolder(data);
    makeDataFolder(data);
    expect(statSync(data).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder)).toEqual(['var']);
  });

  it.each([
    ['in /proc, which has no place for it', () => '/proc/tandem/data'],
    ['below a file', () => join(folder, 'file', 'data')],
    ['where a file is', () => join(folder, 'file')],
  ])('that cannot be made, %s, is told at once, with its path and its setting', (_, path) => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => makeDataFolder(path())).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(/^Data folder .* cannot be made: [^\n]+ \(TANDEM_DATA_DIR\)$/),
      }),
    );
  });

  it('that cannot be used is named with its setting, whatever the file system says', async () => {
    mkdirSync(join(folder, 'data.mdb'));
    const settings = readSettings({ TANDEM_DATA_DIR: folder });
    const platform = { clock: systemClock, random: systemRandom, logger: silentLogger, metrics: new MetricsRegistry() };
    const patience = new Patience(false, new AbortController().signal, systemClock, silentLogger);
    const opening = openStore(settings, platform, {
      patience,
      secretBox: makeSecretBox([], systemRandom),
      onWaiting: () => {},
    });
    await expect(opening).rejects.toThrow(
      new RegExp(`^Data folder ${folder} cannot be used: [^\n]+ \\(TANDEM_DATA_DIR\\)$`),
    );
  });
});
