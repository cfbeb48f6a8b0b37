import { type Logger, MetricsRegistry, silentLogger, systemClock, systemRandom } from '@tandem/core';
import { compactFolder } from '@tandem/state-embedded';
import { openStore } from './open-store';
import { Patience } from './patience';
import { readSecretBox } from './secret-key-file';
import { loadSettings } from './settings-file';

/**
 * `tandem secrets seal`: seals whatever in the store is not sealed by the first key. Of a data folder the file is written anew
 * as well, since what was replaced can be read in it.
 * @throws an Error whose message says in one line what is in the way
 */
export async function sealStoredSecrets(configFile: string | undefined, print: (line: string) => void): Promise<void> {
  const settings = loadSettings(process.env, configFile);
  const logger = problemLogger();
  const secretBox = readSecretBox(settings, systemRandom, logger);
  const [key] = secretBox.keyIds;
  if (key === undefined) throw new Error('There is no key to seal with: name its file (TANDEM_SECRET_KEY_FILE)');
  const platform = { clock: systemClock, random: systemRandom, logger, metrics: new MetricsRegistry() };
  const patience = new Patience(settings.REDIS_URL !== undefined, new AbortController().signal, systemClock, logger);
  const state = await openStore(settings, platform, { patience, secretBox, onWaiting: () => {} });
  try {
    const sealed = await patience.with('the secrets', () => state.sealSecrets());
    print(`Sealed ${sealed} secrets. All that are stored are encrypted with key ${key} now; no other key is needed.`);
  } finally {
    await state.close();
  }
  if (settings.REDIS_URL) return;
  const file = `${settings.TANDEM_DATA_DIR}/data.mdb`;
  try {
    await compactFolder(settings.TANDEM_DATA_DIR);
  } catch (error) {
    throw new Error(`What was there before may still be in ${file}, which cannot be written anew: ${messageOf(error)}`);
  }
  print(`Written anew, without what was there before: ${file}`);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** What is in the way, on stderr: the output is for people. */
function problemLogger(): Logger {
  const tell: Logger['warn'] = (message, fields) => {
    process.stderr.write(`tandem: ${message}${fields ? ` ${JSON.stringify(fields)}` : ''}\n`);
  };
  return { ...silentLogger, warn: tell, error: tell };
}
