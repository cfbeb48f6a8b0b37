import {
  credentialsWithin,
  currentDevice,
  currentProfile,
  currentTenant,
  currentUser,
  type Device,
  type ProfileInfo,
  profileDataWithin,
  type SealedRecords,
  type Tenant,
  type User,
} from '@tandem/core';
import { put } from './entity-rows';
import type { Environment, Table } from './environment';
import type { EmbeddedRpcs } from './rpc-store';
import type { Transactions } from './transactions';
import { tenantKey } from './users';

/** The form of the rows, noted in `meta`: a change of it that has to be made to rows that are there counts it up. */
const FORM = '2';
/** Rows that one transaction looks at. */
const PIECE = 1_000;

/**
 * Brings the rows of a folder that an earlier version wrote into the form of today, once. Should the process die meanwhile
 * the next one begins anew, and what is done already stays as it is.
 */
export async function renewFormerRows(
  env: Environment,
  transactions: Transactions,
  rpcs: Pick<EmbeddedRpcs, 'relist'>,
  records: SealedRecords,
): Promise<void> {
  if (env.meta.get('form') === FORM) return;
  const renew = async (table: Table, step: (text: string, id: string) => void) => {
    for (let last = ''; ; ) {
      const after = last;
      // One more than is new: the range begins with the last one.
      const found = await transactions.run(() => {
        const rows = [...table.getRange({ start: after, limit: PIECE + 1 })].filter(({ key }) => key !== after);
        for (const { key, value } of rows) step(value, key);
        return rows.map(({ key }) => key);
      });
      if (found.length < PIECE) return;
      last = found[found.length - 1] ?? '';
    }
  };
  await renew(env.tenants, (text) => put(env.tenants, currentTenant(JSON.parse(text) as Tenant)));
  await renew(env.users, (text) => renewUser(env, JSON.parse(text) as User, records));
  await renew(env.profiles, (text) => renewProfile(env, JSON.parse(text) as ProfileInfo, records));
  await renew(env.devices, (text) => put(env.devices, currentDevice(JSON.parse(text) as Device)));
  await renew(env.rpcs, (_, id) => rpcs.relist(id));
  await transactions.run(() => env.meta.put('form', FORM));
}

function renewUser(env: Environment, record: User, records: SealedRecords): void {
  const credentials = credentialsWithin(record);
  if (credentials && !env.userCredentials.doesExist(record.id)) {
    env.userCredentials.put(record.id, records.userCredentialsText(credentials));
  }
  env.usersByTenant.put(tenantKey(record), record.id);
  put(env.users, currentUser(record));
}

function renewProfile(env: Environment, record: ProfileInfo, records: SealedRecords): void {
  const profileData = profileDataWithin(record);
  if (profileData !== undefined && !env.profileData.doesExist(record.id)) {
    env.profileData.put(record.id, records.profileDataText(record.id, profileData));
  }
  put(env.profiles, currentProfile(record));
}
