import {
  keysInUse,
  keysInUseOfFirst,
  type SealedRecords,
  SealPass,
  type SecretBox,
  type StoredProfile,
} from '@tandem/core';
import type { Environment, Table } from './environment';
import type { Transactions } from './transactions';

/** Rows that one transaction looks at. */
const PIECE = 1_000;
/** Where the proofs of the keys stand in `meta`. */
export const KEYS = 'keys';
const SECRET = 'secret:';

/** Where a secret of this name stands in `meta`. */
export const secretKey = (name: string): string => SECRET + name;

/** Before anything else is read: stops a start without the keys. @throws SecretKeyError */
export async function proveKeys(env: Environment, transactions: Transactions, box: SecretBox): Promise<void> {
  const stored = env.meta.get(KEYS);
  const wanted = keysInUse(box, stored);
  if (wanted !== undefined && wanted !== stored) await transactions.run(() => env.meta.put(KEYS, wanted));
}

/** As `State.sealSecrets`: step by step, each of them a transaction. */
export async function sealSecrets(
  env: Environment,
  transactions: Transactions,
  records: SealedRecords,
  box: SecretBox,
): Promise<number> {
  const proof = keysInUseOfFirst(box);
  const pass = new SealPass();
  const seal = async (name: string, table: Table, resealed: (id: string, text: string) => string | undefined) => {
    for (let last = ''; ; ) {
      const after = last;
      // One more than is new: the range begins with the last one.
      const found = await transactions.run(() => {
        const rows = [...table.getRange({ start: after, limit: PIECE + 1 })].filter(({ key }) => key !== after);
        for (const { key, value } of rows) {
          const text = pass.tried(`${name} ${key}`, () => resealed(key, value));
          if (text === undefined) continue;
          table.put(key, text);
          pass.sealed(1);
        }
        return rows.map(({ key }) => key);
      });
      if (found.length < PIECE) return;
      last = found[found.length - 1] ?? '';
    }
  };
  await seal('credentials', env.credentials, (id, text) => records.resealed('credentials', id, text));
  await seal('claims', env.claims, (id, text) => records.resealed('claims', id, text));
  await seal('user-credentials', env.userCredentials, (id, text) => records.resealed('user-credentials', id, text));
  await seal('profile-data', env.profileData, (id, text) => records.resealed('profile-data', id, text));
  await seal('profiles', env.profiles, (_, text) => {
    const profile = JSON.parse(text) as StoredProfile;
    const opened = records.profile(profile);
    return records.isProfileSealedNow(profile) ? undefined : JSON.stringify(records.storedProfile(opened));
  });
  await seal('meta', env.meta, (key, text) =>
    key.startsWith(SECRET) ? records.resealed('secrets', key.slice(SECRET.length), text) : undefined,
  );
  await transactions.run(() => env.meta.put(KEYS, proof));
  return pass.end();
}
