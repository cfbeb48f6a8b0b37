import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import { KEYS } from './seal-secrets';

/**
 * The proofs of the keys that secrets of a folder are sealed with, as `keysInUse` takes them; read without changing anything. No process
 * may have the folder open.
 * @returns undefined where nothing is sealed, or nothing is there
 */
export async function storedKeyProofs(folder: string): Promise<string | undefined> {
  // Without its file of locks lmdb would make one, as the user who looks.
  if (!['data.mdb', 'lock.mdb'].every((name) => existsSync(join(folder, name)))) return undefined;
  const root = open({ path: folder, noSubdir: false, maxDbs: 64, readOnly: true });
  try {
    // There is no such table while the first start is not over.
    return root.openDB<string, string>({ name: 'meta', encoding: 'string' })?.get(KEYS);
  } finally {
    await root.close();
  }
}
