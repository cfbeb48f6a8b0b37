import { resolve } from 'node:path';
import {
  MetricsRegistry,
  type Platform,
  type SecretBox,
  SecretKeyError,
  type Settings,
  type State,
  TandemError,
} from '@tandem/core';
import { boundsOf, DiskFullError, FolderInUseError, openEmbeddedState } from '@tandem/state-embedded';
import { makeFolder } from './make-folder';
import type { Patience } from './patience';

export interface OpeningOptions {
  readonly patience: Patience;
  /** What seals the secrets. */
  readonly secretBox: SecretBox;
  /** Hears why the store cannot be opened yet, again and again. */
  readonly onWaiting: (reason: string) => void;
}

/**
 * The store of this process: Redis where `REDIS_URL` names one, for which it waits as long as it takes; else the data
 * folder.
 * @throws FolderInUseError, DiskFullError, RedisRefusedError, SecretKeyError: one line that says what is in the way; the reason of the
 * patience's signal when that is aborted
 */
export function openStore(settings: Settings, platform: Platform, options: OpeningOptions): Promise<State> {
  return settings.REDIS_URL
    ? openRedis(settings.REDIS_URL, settings, platform, options)
    : openFolder(settings, platform, options);
}

async function openRedis(
  address: NonNullable<Settings['REDIS_URL']>,
  settings: Settings,
  platform: Platform,
  { patience, secretBox, onWaiting }: OpeningOptions,
): Promise<State> {
  const { signal } = patience;
  // A client that a gateway with a data folder has no use for.
  const { openRedisState, redisBoundsOf } = await import('@tandem/state-redis');
  return patience.with('the store', async () => {
    // A Redis that goes away while it is being opened: what the attempt registered goes with it.
    const metrics = new MetricsRegistry();
    const state = await openRedisState({
      ...redisBoundsOf(settings),
      ...platform,
      metrics,
      address,
      secretBox,
      signal,
      onWaiting,
    });
    platform.metrics.adopt(metrics);
    return state;
  });
}

async function openFolder(settings: Settings, platform: Platform, { secretBox }: OpeningOptions): Promise<State> {
  makeDataFolder(settings.TANDEM_DATA_DIR);
  try {
    return await openEmbeddedState({
      folder: settings.TANDEM_DATA_DIR,
      durability: settings.TANDEM_DURABILITY,
      ...boundsOf(settings),
      ...platform,
      secretBox,
    });
  } catch (error) {
    if (error instanceof FolderInUseError || error instanceof DiskFullError) error.message += ' (TANDEM_DATA_DIR)';
    else if (!(error instanceof SecretKeyError || error instanceof TandemError)) throw unusable(settings, error);
    throw error;
  }
}

/** What the file system or lmdb say names neither the folder nor the setting. */
function unusable({ TANDEM_DATA_DIR: folder }: Settings, error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error);
  const user = process.getuid?.();
  const reason =
    /permission denied|EACCES/i.test(message) && user !== undefined ? `user ${user} may not write there` : message;
  return new Error(`Data folder ${folder} cannot be used: ${reason} (TANDEM_DATA_DIR)`, { cause: error });
}

/** @throws Error in one line that names the setting */
export function makeDataFolder(folder: string): void {
  try {
    makeFolder(resolve(folder), 0o700);
  } catch (error) {
    throw new Error(`Data folder ${folder} cannot be made: ${(error as Error).message} (TANDEM_DATA_DIR)`);
  }
}
