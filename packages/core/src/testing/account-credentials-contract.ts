import { credentialsHash } from '../auth/credentials-hash';
import type { User, UserCredentials } from '../devices/model';
import { anApiKey, aUser, CREATED, userCredentialsOf } from './builders';
import { accepted, type MakeStore, type UsedStore, useSharedStore } from './store-under-test';

const PAGE = { page: 0, pageSize: 100 };
const NOBODY = '00000000-0000-4000-8000-000000000000';
const ABSENT = { ok: false, conflict: 'ABSENT' };
const activationOf = (token: string) => ({ token, expiresAt: CREATED + 1 });

export function describeAccountCredentialsContract(makeStore: MakeStore): void {
  describe('A store', () => describeAccountCredentials(useSharedStore(makeStore)));
}

function describeAccountCredentials(store: UsedStore): void {
  const accounts = () => store.state.accounts;

  async function aStoredUser(given: Partial<UserCredentials> = {}): Promise<User> {
    const user = aUser();
    return accepted(await accounts().createUser(user, userCredentialsOf(user, given)));
  }

  describe('AccountStore: what lets users in', () => {
    it('is given back with its user as it was created, also after the store was opened again', async () => {
      const user = aUser();
      const credentials = userCredentialsOf(user, {
        passwordHash: 'scrypt$1$1$1$a$b',
        activation: activationOf('token'),
        endedSessions: [{ sessionId: 's', until: 7 }],
      });
      accepted(await accounts().createUser(user, credentials));
      await store.reopen();
      const account = { user, credentials };
      expect(await accounts().getAccount(user.id)).toEqual(account);
      expect(await accounts().findAccountByEmail(user.email)).toEqual(account);
      expect(await accounts().findAccountByActivation('token')).toEqual(account);
      expect(await accounts().getAccount(NOBODY)).toBeUndefined();
    });

    it('is found by nothing that is empty, odd or endless', async () => {
      await aStoredUser();
      for (const text of ['', '\u0000', '\ud800', 'x'.repeat(100_000)]) {
        expect(await accounts().findAccountByEmail(text)).toBeUndefined();
        expect(await accounts().findAccountByActivation(text)).toBeUndefined();
      }
    });

    it('is updated only in the version that is stored, and leaves the version of the user alone', async () => {
      const user = await aStoredUser();
      const credentials = userCredentialsOf(user);
      const update = (generation: number) => accounts().updateUserCredentials({ ...credentials, generation });
      const outcomes = await Promise.all([update(2), update(3)]);
      expect(outcomes).toEqual([
        { ok: true, value: { ...credentials, generation: 2, version: 2 } },
        { ok: false, conflict: 'VERSION' },
      ]);
      expect(await accounts().getAccount(user.id)).toEqual({
        user,
        credentials: { ...credentials, generation: 2, version: 2 },
      });
      expect(await accounts().updateUserCredentials(userCredentialsOf({ id: NOBODY }))).toEqual(ABSENT);
    });

    it('stays as it is when the user is changed', async () => {
      const user = await aStoredUser({ passwordHash: 'hash' });
      const changed = accepted(await accounts().updateUser({ ...user, email: 'changed@example.org' }));
      expect(await accounts().findAccountByEmail('changed@example.org')).toEqual({
        user: changed,
        credentials: userCredentialsOf(user, { passwordHash: 'hash' }),
      });
    });

    it('is found by an activation token until it is replaced, and by none that another has', async () => {
      const [one, other] = [await aStoredUser({ activation: activationOf('a') }), await aStoredUser()];
      const take = (user: User, token: string | null, version: number) =>
        accounts().updateUserCredentials(
          userCredentialsOf(user, { activation: token === null ? null : activationOf(token), version }),
        );
      const taken = { ok: false, conflict: 'CREDENTIALS_TAKEN' };
      expect(await take(other, 'a', 1)).toEqual(taken);
      const third = aUser();
      expect(await accounts().createUser(third, userCredentialsOf(third, { activation: activationOf('a') }))).toEqual(
        taken,
      );
      expect(await accounts().getUser(third.id)).toBeUndefined();
      accepted(await take(one, 'b', 1));
      expect(await accounts().findAccountByActivation('a')).toBeUndefined();
      expect((await accounts().findAccountByActivation('b'))?.user).toEqual(one);
      accepted(await take(other, 'a', 1));
      accepted(await take(one, null, 2));
      expect(await accounts().findAccountByActivation('b')).toBeUndefined();
    });

    it('goes with its user', async () => {
      const user = await aStoredUser({ activation: activationOf('t') });
      const key = accepted(await accounts().createApiKey(anApiKey(user), 10));
      accepted(await accounts().deleteUser(user.id));
      expect(await accounts().getAccount(user.id)).toBeUndefined();
      expect(await accounts().findAccountByActivation('t')).toBeUndefined();
      expect(await accounts().getApiKey(key.id)).toBeUndefined();
      expect(await accounts().findApiKey(key.valueHash)).toBeUndefined();
      expect((await accounts().listApiKeys(user.id, PAGE)).totalElements).toBe(0);
      accepted(await accounts().createUser(user, userCredentialsOf(user, { activation: activationOf('t') })));
      accepted(await accounts().createApiKey(key, 10));
    });
  });

  describe('AccountStore: API keys', () => {
    it('are given back as they were created, also after the store was opened again', async () => {
      const user = await aStoredUser();
      const key = anApiKey(user, { expirationTime: CREATED });
      expect(await accounts().createApiKey(key, 10)).toEqual({ ok: true, value: key });
      await store.reopen();
      expect(await accounts().getApiKey(key.id)).toEqual(key);
      expect(await accounts().findApiKey(key.valueHash)).toEqual(key);
      expect(await accounts().getApiKey(NOBODY)).toBeUndefined();
    });

    it('are as many of one user as there may be, and of users that are there', async () => {
      const [user, other] = [await aStoredUser(), await aStoredUser()];
      const outcomes = await Promise.all([1, 2, 3].map(() => accounts().createApiKey(anApiKey(user), 2)));
      expect(outcomes.map((outcome) => (outcome.ok ? 'made' : outcome.conflict))).toEqual(['made', 'made', 'LIMIT']);
      accepted(await accounts().createApiKey(anApiKey(other), 2));
      expect(await accounts().createApiKey(anApiKey({ ...user, id: NOBODY }), 2)).toEqual(ABSENT);
      const value = { valueHash: credentialsHash('same') };
      accepted(await accounts().createApiKey(anApiKey(other, value), 2));
      const third = await aStoredUser();
      const taken = await accounts().createApiKey(anApiKey(third, value), 2);
      expect(taken).toEqual({ ok: false, conflict: 'CREDENTIALS_TAKEN' });
      expect((await accounts().listApiKeys(third.id, PAGE)).totalElements).toBe(0);
    });

    it('are updated only in the version that is stored, and keep their value', async () => {
      const user = await aStoredUser();
      const key = accepted(await accounts().createApiKey(anApiKey(user), 10));
      const update = (description: string) =>
        accounts().updateApiKey({ ...key, description, enabled: false, valueHash: 'x' });
      const changed = { ...key, description: 'first', enabled: false, version: 2 };
      expect(await Promise.all([update('first'), update('second')])).toEqual([
        { ok: true, value: changed },
        { ok: false, conflict: 'VERSION' },
      ]);
      expect(await accounts().findApiKey(key.valueHash)).toEqual(changed);
      expect(await accounts().updateApiKey(anApiKey(user))).toEqual(ABSENT);
    });

    it('are listed by page, order and part of the description, and gone when they are deleted', async () => {
      const [user, other] = [await aStoredUser(), await aStoredUser()];
      const keys = ['Cron', 'Board', 'Cron b'].map((description, i) =>
        anApiKey(user, { description, createdTime: CREATED + i }),
      );
      for (const key of [...keys, anApiKey(other)]) accepted(await accounts().createApiKey(key, 10));
      const names = async (query: object = {}) => {
        const { data, totalElements } = await accounts().listApiKeys(user.id, { ...PAGE, ...query });
        return [totalElements, ...data.map(({ description }) => description)];
      };
      expect(await names()).toEqual([3, 'Cron b', 'Board', 'Cron']);
      expect(await names({ page: 1, pageSize: 2 })).toEqual([3, 'Cron']);
      expect(await names({ textSearch: 'cRON' })).toEqual([2, 'Cron b', 'Cron']);
      const [cron] = keys;
      expect(await accounts().deleteApiKey(cron?.id ?? '')).toEqual({ ok: true, value: cron });
      expect(await accounts().deleteApiKey(cron?.id ?? '')).toEqual(ABSENT);
      expect(await names()).toEqual([2, 'Cron b', 'Board']);
      expect(await accounts().findApiKey(cron?.valueHash ?? '')).toBeUndefined();
    });
  });

  describe('AccountStore: what caches hear', () => {
    it('is every change of credentials and API keys, as one of their user, before the write resolves', async () => {
      const user = await aStoredUser();
      const key = accepted(await accounts().createApiKey(anApiKey(user), 10));
      const heard: unknown[] = [];
      accounts().onAccountChange((change) => heard.push(change));
      const counts: number[] = [];
      for (const write of [
        () => accounts().updateUserCredentials(userCredentialsOf(user)),
        () => accounts().updateUserCredentials(userCredentialsOf(user)),
        () => accounts().updateApiKey(key),
        () => accounts().updateApiKey(key),
        () => accounts().deleteApiKey(key.id),
      ]) {
        await write();
        counts.push(heard.length);
      }
      expect(counts).toEqual([1, 1, 2, 2, 3]);
      expect(new Set(heard.map((change) => JSON.stringify(change)))).toEqual(
        new Set([JSON.stringify({ kind: 'user', userId: user.id })]),
      );
    });
  });
}
