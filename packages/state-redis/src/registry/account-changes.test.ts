import { MetricsRegistry, Principals } from '@tandem/core';
import { aCustomer, anApiKey, aTenant, aUser, CREATED, FakeClock, userCredentialsOf } from '@tandem/core/testing';
import { Keys } from '../keys';
import { type RedisServer, startRedis } from '../testing/redis-server';
import { RegistryProcess } from './testing/registry-process';

const keys = new Keys('t');
const UNAUTHORIZED = { code: 'UNAUTHORIZED' };

describe('Accounts that processes share', () => {
  let server: RedisServer;
  let writer: RegistryProcess;
  let reader: RegistryProcess;
  beforeAll(async () => {
    server = await startRedis();
    [writer, reader] = await Promise.all([
      RegistryProcess.start(server, keys, 'writer'),
      RegistryProcess.start(server, keys, 'reader'),
    ]);
  });
  afterAll(async () => {
    await Promise.all([writer.close(), reader.close()]);
    await server.stop();
  });

  /** Resolves when the reader has heard of so many changes. */
  function heard(count: number): { readonly changes: unknown[]; readonly all: Promise<void> } {
    const changes: unknown[] = [];
    const all = new Promise<void>((resolve) => {
      const leave = reader.registry.accounts.onAccountChange((change) => {
        if (changes.push(change) < count) return;
        leave();
        resolve();
      });
    });
    return { changes, all };
  }

  it('are dropped from the memory of every process when they change', async () => {
    const { accounts } = writer.registry;
    const user = aUser();
    const key = anApiKey(user);
    await accounts.createUser(user, userCredentialsOf(user));
    await accounts.createApiKey(key, 10);
    const principals = new Principals(reader.registry.accounts, 10, new FakeClock(), new MetricsRegistry());
    const session = { userId: user.id, sessionId: 's', generation: 1 };
    await principals.ofSession(session);
    const { changes, all } = heard(3);
    await accounts.updateUserCredentials({ ...userCredentialsOf(user), endedSessions: [{ sessionId: 's', until: 1 }] });
    await accounts.updateApiKey({ ...key, enabled: false });
    await accounts.deleteUser(user.id);
    await all;
    expect(changes).toEqual(Array(3).fill({ kind: 'user', userId: user.id }));
    await expect(principals.ofSession(session)).rejects.toMatchObject(UNAUTHORIZED);
    expect(reader.heard).toEqual([]);
  });

  it('and customers as well', async () => {
    const customer = aCustomer({ additionalInfo: '{"isPublic":true}' });
    const { accounts } = writer.registry;
    await accounts.createCustomer(customer);
    const principals = new Principals(reader.registry.accounts, 10, new FakeClock(), new MetricsRegistry());
    await principals.ofPublicCustomer(customer.id);
    const { all } = heard(1);
    await accounts.deleteCustomer(customer.id, CREATED);
    await all;
    await expect(principals.ofPublicCustomer(customer.id)).rejects.toMatchObject(UNAUTHORIZED);
  });

  it('leave nothing behind when they are gone: neither records nor what finds them', async () => {
    await server.cli('FLUSHALL');
    const { accounts } = writer.registry;
    const [tenant, customer, user] = [aTenant(), aCustomer(), aUser()];
    await accounts.createTenant(tenant);
    await accounts.createCustomer(customer);
    const activation = { token: 't', expiresAt: CREATED };
    await accounts.createUser(user, userCredentialsOf(user, { activation }));
    await accounts.createApiKey(anApiKey(user), 10);
    await accounts.deleteUser(user.id);
    await accounts.deleteCustomer(customer.id, CREATED);
    await accounts.deleteTenant(tenant.id, CREATED);
    for (const { id } of await accounts.listRemovals(10)) await accounts.finishRemoval(id);
    const left = (await server.cli('KEYS', '*'))
      .split('\n')
      .filter((key) => !/commit:|changes$|readers$|meta$/.test(key));
    expect(left).toEqual([]);
  });
});
