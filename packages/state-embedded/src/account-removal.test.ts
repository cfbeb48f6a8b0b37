import { rm } from 'node:fs/promises';
import { aCustomer, anApiKey, aTenant, aUser, CREATED, userCredentialsOf } from '@tandem/core/testing';
import { closeEnvironment, openEnvironment } from './environment';
import { openEmbeddedState } from './index';
import { optionsFor, temporaryFolder } from './testing/embedded-store';

const TABLES = [
  'tenants',
  'users',
  'usersByEmail',
  'usersByTenant',
  'userCredentials',
  'activations',
  'apiKeys',
  'apiKeysByHash',
  'apiKeysByUser',
  'customers',
  'customersByTitle',
  'removals',
] as const;

describe('Accounts of the embedded store', () => {
  it('leave nothing behind when they are gone: neither records nor what finds them', async () => {
    const folder = await temporaryFolder();
    const rows = async () => {
      const env = openEnvironment(folder);
      const counts = TABLES.map((table) => [table, env[table].getKeysCount()]);
      await closeEnvironment(env);
      return Object.fromEntries(counts);
    };
    const state = await openEmbeddedState(optionsFor(folder));
    const [tenant, customer, user] = [aTenant(), aCustomer(), aUser()];
    await state.accounts.createTenant(tenant);
    await state.accounts.createCustomer(customer);
    const activation = { token: 't', expiresAt: CREATED };
    await state.accounts.createUser(user, userCredentialsOf(user, { activation }));
    await state.accounts.createApiKey(anApiKey(user), 10);
    await state.close();
    expect(await rows()).toEqual({ ...Object.fromEntries(TABLES.map((table) => [table, 1])), removals: 0 });

    const again = await openEmbeddedState(optionsFor(folder));
    await again.accounts.deleteUser(user.id);
    await again.accounts.deleteCustomer(customer.id, CREATED);
    await again.accounts.deleteTenant(tenant.id, CREATED);
    for (const { id } of await again.accounts.listRemovals(10)) await again.accounts.finishRemoval(id);
    await again.close();
    expect(await rows()).toEqual(Object.fromEntries(TABLES.map((table) => [table, 0])));
    await rm(folder, { recursive: true });
  });
});
