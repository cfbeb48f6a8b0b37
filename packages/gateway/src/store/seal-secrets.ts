import { writeSync } from 'node:fs';
import {
  type Logger,
  MetricsRegistry,
  type Platform,
  type SecretBox,
  type Settings,
  type State,
  silentLogger,
  systemClock,
  systemRandom,
} from '@tandem/core';
import { compactFolder } from '@tandem/state-embedded';
import { readSecretBox } from '../settings/secret-key-file';
import { loadSettings } from '../settings/settings-file';
import { openStore } from './open-store';
import { Patience } from './patience';

/** For how many of its time-outs a Redis is waited for: whoever types the command is there to look what is wrong with it. */
const REDIS_TIMEOUTS = 2;

/**
 * `tandem secrets seal`: seals whatever in the store is not sealed by the first key. Of a data folder the file is written anew
 * as well, since what was replaced can be read in it.
 * @throws an Error whose message says in one line what is in the way
 */
export async function sealStoredSecrets(configFile: string | undefined, print: (line: string) => void): Promise<void> {
  endBySignals();
  const settings = loadSettings(process.env, configFile);
  const logger = problemLogger();
  const secretBox = readSecretBox(settings, systemRandom, logger);
  const [key] = secretBox.keyIds;
  if (key === undefined) throw new Error('There is no key to seal with: name its file (TANDEM_SECRET_KEY_FILE)');
  const platform = { clock: systemClock, random: systemRandom, logger, metrics: new MetricsRegistry() };
  const state = await openInTime(settings, platform, secretBox);
  try {
    const sealed = await state.sealSecrets();
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

/** @throws an Error with the reason of a Redis that cannot be used in time: at once where it is the password */
async function openInTime(settings: Settings, platform: Platform, secretBox: SecretBox): Promise<State> {
  if (settings.REDIS_URL === undefined) {
    const patience = new Patience(false, new AbortController().signal, platform.clock, platform.logger);
    return openStore(settings, platform, { patience, secretBox, onWaiting: () => {} });
  }
  const { isOfLogin } = await import('@tandem/state-redis');
  const waiting = new AbortController();
  let why = 'it does not answer (REDIS_URL)';
  const giveUp = () => waiting.abort(new Error(`Redis cannot be used: ${why}`));
  const onWaiting = (reason: string) => {
    why = reason;
    if (isOfLogin(reason)) giveUp();
  };
  const { logger } = platform;
  let opening = true;
  // Until it is open all that is an error is the reason, which is said at the end.
  const error: Logger['error'] = (message, fields) => {
    if (!opening) logger.error(message, fields);
  };
  const patience = new Patience(true, waiting.signal, platform.clock, silentLogger);
  const late = platform.clock.setTimer(REDIS_TIMEOUTS * settings.TANDEM_REDIS_TIMEOUT, giveUp);
  try {
    return await openStore(settings, { ...platform, logger: { ...logger, error } }, { patience, secretBox, onWaiting });
  } finally {
    opening = false;
    late.cancel();
  }
}

/** `bin/tandem.js` listens for them. What has been sealed by then is, and the file is as it was or written anew. */
function endBySignals(): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      writeSync(2, `tandem: Stopped by ${signal} before everything was encrypted; run it again for the rest\n`);
      process.removeAllListeners(signal);
      // The first process of a container is ended by no signal that it does not take.
      if (process.pid === 1) process.exit(1);
      process.kill(process.pid, signal);
    });
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** What is in the way, on stderr: the output is for people. */
function problemLogger(): Logger {
  const tell: Logger['warn'] = (message, fields) => {
    process.stderr.write(`tandem: ${message}${fields ? ` ${JSON.stringify(fields)}` : ''}\n`);
  };
  return { ...silentLogger, warn: tell, error: tell };
}
