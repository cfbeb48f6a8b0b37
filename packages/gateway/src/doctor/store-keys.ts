import { keysInUse, type SecretBox, SecretKeyError, type Settings, silentLogger, systemRandom } from '@tandem/core';
import { storedKeyProofs } from '@tandem/state-embedded';
import { readSecretBox } from '../settings/secret-key-file';
import { folderIsHeld } from './data-folder-owner';
import { type Finding, fail, ok } from './finding';

/** Whether the keys of these settings are those that the secrets in the store are sealed with; the store is only read. */
export async function checkStoreKeys(settings: Settings): Promise<Finding[]> {
  const about = 'keys of the store';
  const keyed = settings.TANDEM_SECRET_KEY_FILE !== undefined;
  const box = boxOf(settings);
  // That is a finding already.
  if (!box) return [];
  if (!settings.REDIS_URL && (await folderIsHeld(settings.TANDEM_DATA_DIR))) {
    return keyed ? [ok(about, 'not looked at: the data folder is held by a running gateway')] : [];
  }
  let proofs: string | undefined;
  try {
    proofs = await proofsOf(settings);
  } catch {
    // Why a store cannot be read is said of the store.
    return keyed ? [ok(about, 'not looked at: the store cannot be read')] : [];
  }
  try {
    keysInUse(box, proofs);
  } catch (error) {
    if (!(error instanceof SecretKeyError)) throw error;
    return [
      fail(
        about,
        error.message,
        'Name the file that has the key it was encrypted with; a lost one cannot be replaced: docs/guides/encrypt-secrets.md.',
      ),
    ];
  }
  if (!keyed) return [];
  return [
    ok(about, proofs ? 'fit what is encrypted in it' : 'nothing is encrypted in it yet; the next start begins to'),
  ];
}

function boxOf(settings: Settings): SecretBox | undefined {
  try {
    return readSecretBox(settings, systemRandom, silentLogger);
  } catch {
    return undefined;
  }
}

async function proofsOf(settings: Settings): Promise<string | undefined> {
  const address = settings.REDIS_URL;
  if (!address) return storedKeyProofs(settings.TANDEM_DATA_DIR);
  const { storedKeyProofs: storedInRedis, redisBoundsOf } = await import('@tandem/state-redis');
  const { prefix, timeout } = redisBoundsOf(settings);
  return storedInRedis({ address, prefix, timeout });
}
