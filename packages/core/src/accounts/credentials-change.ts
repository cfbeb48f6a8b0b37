import type { UserCredentials, Uuid } from '../devices/model';
import { TandemError } from '../errors';
import type { AccountStore } from '../state/account-store';

/** How often a change is decided anew because others changed the credentials meanwhile. */
const ATTEMPTS = 10;

/**
 * Changes what lets a user in, decided on what is stored.
 * @param change undefined where there is nothing to change
 * @returns what is stored now; undefined when the user is gone
 * @throws TandemError STORE_UNAVAILABLE, also when others never stop changing it; what `change` throws
 */
export async function changeCredentials(
  store: AccountStore,
  userId: Uuid,
  change: (stored: UserCredentials) => UserCredentials | undefined,
): Promise<UserCredentials | undefined> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const stored = (await store.getAccount(userId))?.credentials;
    if (!stored) return undefined;
    const changed = change(stored);
    if (!changed) return stored;
    const written = await store.updateUserCredentials({ ...changed, version: stored.version });
    if (written.ok) return written.value;
    if (written.conflict === 'ABSENT') return undefined;
  }
  throw new TandemError('STORE_UNAVAILABLE', { message: 'The account is being changed by too many at once' });
}

/** Ends every session of the user: tokens of the generation before are void. */
export const endAll = (credentials: UserCredentials): UserCredentials => ({
  ...credentials,
  generation: credentials.generation + 1,
  endedSessions: [],
});
