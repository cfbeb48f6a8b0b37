import type { User } from '../devices/model';
import { over, useCore } from '../devices/testing/core-under-test';
import type { State } from '../state/state';

const used = useCore({ TANDEM_PRINCIPALS_CACHE_MAX: '2', TANDEM_API_KEYS_MAX: '2' });
const UNAUTHORIZED = { code: 'UNAUTHORIZED' };

const admin = async (): Promise<User> => {
  const user = await used.core.state.accounts.findUserByEmail('admin@example.org');
  if (!user) throw new Error('no administrator');
  return user;
};
const session = async () => ({ userId: (await admin()).id, sessionId: 's', generation: 1 });

/** A core whose reads of accounts are counted. */
function counting(): { core: typeof used.core; reads: () => number } {
  let reads = 0;
  const core = used.another((state: State) => ({
    ...state,
    accounts: over(state.accounts, {
      getAccount: (id) => {
        reads++;
        return state.accounts.getAccount(id);
      },
    }),
  }));
  return { core, reads: () => reads };
}

describe('Who is behind a session', () => {
  it('is read once, and again after the user has changed', async () => {
    const { core, reads } = counting();
    for (let n = 0; n < 3; n++) await core.principals.ofSession(await session());
    expect(reads()).toBe(1);
    await used.core.state.accounts.updateUser({ ...(await admin()), firstName: 'Ada' });
    expect(await core.principals.ofSession(await session())).toMatchObject({ user: { firstName: 'Ada' } });
    expect(reads()).toBe(2);
  });

  it('is nobody once the user is deleted', async () => {
    const { userId, ...rest } = await session();
    await used.core.principals.ofSession({ userId, ...rest });
    await used.core.users.delete(userId);
    await expect(used.core.principals.ofSession({ userId, ...rest })).rejects.toMatchObject(UNAUTHORIZED);
  });

  it('is not kept when it changed while it was read', async () => {
    let changed: Promise<unknown> | undefined;
    const user = await admin();
    const core = used.another((state) => ({
      ...state,
      accounts: over(state.accounts, {
        getAccount: async (id) => {
          const account = await state.accounts.getAccount(id);
          changed ??= state.accounts.updateUser({ ...user, firstName: 'Late' });
          await changed;
          return account;
        },
      }),
    }));
    await core.principals.ofSession(await session());
    expect(await core.principals.ofSession(await session())).toMatchObject({ user: { firstName: 'Late' } });
  });

  it('is kept for as many as the setting says', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 4; n++) {
      const place = {
        tenantId: used.tenantId,
        authority: 'TENANT_ADMIN',
        customerId: (await admin()).customerId,
      } as const;
      ids.push((await used.core.users.create(place, { email: `u${n}@example.org` })).id);
    }
    for (const userId of ids) await used.core.principals.ofSession({ ...(await session()), userId });
    expect(used.gauge('tandem_principals_cached')).toBe(2);
  });
});

describe('An API key', () => {
  const make = async (given: object = {}) =>
    used.core.apiKeys.create(await admin(), { description: 'cron', expirationTime: 0, enabled: true, ...given });

  it('acts as its user, and is nowhere stored in clear', async () => {
    const { key, value } = await make();
    expect((await used.core.principals.ofApiKey(value)).user).toEqual(await admin());
    expect(JSON.stringify(key)).not.toContain(value);
  });

  it.each([
    ['is unknown', async () => {}],
    [
      'is disabled',
      (id: string) => used.core.apiKeys.get(id).then((key) => used.core.apiKeys.update(key, { enabled: false })),
    ],
    ['is deleted', (id: string) => used.core.apiKeys.delete(id)],
    ['belongs to a user who is disabled', async () => used.core.logins.setEnabled((await admin()).id, false)],
    ['belongs to a user who is gone', async () => used.core.users.delete((await admin()).id)],
  ])('lets nobody in that %s', async (what, change) => {
    const { key, value } = await make();
    await used.core.principals.ofApiKey(value);
    await change(key.id);
    const presented = what === 'is unknown' ? `${value}x` : value;
    await expect(used.core.principals.ofApiKey(presented)).rejects.toMatchObject(UNAUTHORIZED);
  });

  it('lets nobody in that has expired', async () => {
    const { value } = await make({ expirationTime: used.clock.now() + 1_000 });
    await used.core.principals.ofApiKey(value);
    used.clock.advance(1_000);
    await expect(used.core.principals.ofApiKey(value)).rejects.toMatchObject(UNAUTHORIZED);
  });

  it('is one of as many as a user may have, has a description, and ends in the future if ever', async () => {
    for (let n = 0; n < 2; n++) await make();
    await expect(make()).rejects.toMatchObject({ code: 'BAD_REQUEST', message: 'A user has at most 2 API keys' });
    await expect(make({ description: ' ' })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    await expect(make({ expirationTime: used.clock.now() })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  });
});

describe('A public customer', () => {
  it('lets everybody in who knows its id, until it is public no more', async () => {
    const customer = await used.core.customers.findOrCreatePublic(used.tenantId);
    expect(await used.core.customers.findOrCreatePublic(used.tenantId)).toEqual(customer);
    expect(await used.core.principals.ofPublicCustomer(customer.id)).toMatchObject({
      authority: 'CUSTOMER_USER',
      customerId: customer.id,
      tenantId: used.tenantId,
      email: customer.id,
    });
    await used.core.customers.update(used.tenantId, customer.id, { title: 'Public' });
    await expect(used.core.principals.ofPublicCustomer(customer.id)).rejects.toMatchObject(UNAUTHORIZED);
  });

  it('is one that says so', async () => {
    for (const additionalInfo of [null, '{}', '{"isPublic":false}', '{"isPublic":"true"}']) {
      const { id } = await used.core.customers.create(used.tenantId, { title: `${additionalInfo}`, additionalInfo });
      await expect(used.core.principals.ofPublicCustomer(id)).rejects.toMatchObject(UNAUTHORIZED);
    }
  });
});
