import { NULL_UUID } from '../devices/model';
import { over, useCore } from '../devices/testing/core-under-test';
import type { State } from '../state/state';
import { aMessage } from '../testing/builders';

const used = useCore();
const PAGE = { page: 0, pageSize: 100 };
const accounts = () => used.core.state.accounts;

/** A tenant with something of everything. */
async function aTenant() {
  const { core } = used;
  const { id: tenantId } = await core.tenants.create({ title: 'T' });
  const customer = await core.customers.create(tenantId, { title: 'C' });
  const admin = await core.users.create(
    { tenantId, authority: 'TENANT_ADMIN', customerId: NULL_UUID },
    { email: `admin@${tenantId}.org` },
  );
  const user = await core.users.create(
    { tenantId, authority: 'CUSTOMER_USER', customerId: customer.id },
    { email: `user@${tenantId}.org` },
  );
  const { value } = await core.apiKeys.create(admin, { description: 'k', expirationTime: 0, enabled: true });
  const device = await core.devices.create(tenantId, { name: 'D' }, { credentialsId: `token of ${tenantId}` });
  const written = await core.state.devices.updateDevice({ ...device, customerId: customer.id });
  if (!written.ok) throw new Error(written.conflict);
  await core.state.telemetryLog.append(aMessage(device, 1, { t: '1' }));
  return { tenantId, customer, admin, user, value, device: written.value };
}

/** What of the tenant is left. */
const leftOf = async (tenantId: string) => ({
  users: (await accounts().listUsers(tenantId, {}, PAGE)).totalElements,
  customers: (await accounts().listCustomers(tenantId, PAGE)).totalElements,
  devices: (await used.core.state.devices.listDevices(tenantId, PAGE)).totalElements,
  profiles: (await used.core.state.devices.listProfiles(tenantId, PAGE)).totalElements,
});
const NOTHING = { users: 0, customers: 0, devices: 0, profiles: 0 };
const ALL = { users: 2, customers: 1, devices: 1, profiles: 1 };

/** A process that dies in the middle of a deletion. */
const dying = (part: 'accounts' | 'devices', method: string) =>
  used.another((state: State) => ({
    ...state,
    [part]: over(state[part] as object, { [method]: () => Promise.reject(new Error('died')) }),
  }));

describe('Deleting a tenant', () => {
  it('removes everything it had and nothing of another, and its API keys and tokens let nobody in', async () => {
    const [one, other] = [await aTenant(), await aTenant()];
    await used.core.principals.ofApiKey(one.value);
    await used.core.tenants.delete(one.tenantId);
    expect(await leftOf(one.tenantId)).toEqual(NOTHING);
    expect(await leftOf(other.tenantId)).toEqual(ALL);
    await expect(used.core.principals.ofApiKey(one.value)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    await expect(used.core.auth.resolve(`token of ${one.tenantId}`)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    await expect(used.core.tenants.get(one.tenantId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(used.core.tenants.delete(one.tenantId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it.each([
    ['accounts', 'deleteUser'],
    ['devices', 'deleteDevice'],
    ['devices', 'deleteProfile'],
    ['accounts', 'deleteCustomer'],
  ] as const)('that a process left unfinished when it died over %s.%s is finished by another', async (part, method) => {
    const { tenantId } = await aTenant();
    await dying(part, method).tenants.delete(tenantId);
    expect(await leftOf(tenantId)).not.toEqual(NOTHING);
    await used.core.removals.resume();
    expect(await leftOf(tenantId)).toEqual(NOTHING);
  });

  it('is over when a look, a while afterwards, finds nothing any more', async () => {
    const { tenantId } = await aTenant();
    await used.core.tenants.delete(tenantId);
    used.clock.advance(59_999);
    await used.core.removals.resume();
    expect(used.gauge('tandem_removals')).toBeGreaterThan(0);
    used.clock.advance(1);
    await used.core.removals.resume();
    expect(used.gauge('tandem_removals')).toBe(0);
    expect(await accounts().listRemovals(10)).toEqual([]);
  });

  it('does not hold up its answer for ever: the rest goes behind it', async () => {
    const { tenantId } = await aTenant();
    let go = () => {};
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    const { devices } = used.core.state;
    let began = () => {};
    const reached = new Promise<void>((resolve) => {
      began = resolve;
    });
    const slow = used.another((state) => ({
      ...state,
      devices: over(state.devices, {
        deleteDevice: async (id) => {
          began();
          await held;
          return devices.deleteDevice(id);
        },
      }),
    }));
    const deleted = slow.tenants.delete(tenantId);
    await reached;
    used.clock.advance(10_000);
    await deleted;
    expect((await leftOf(tenantId)).devices).toBe(1);
    go();
    await used.quiet();
    await used.core.removals.resume();
    expect(await leftOf(tenantId)).toEqual(NOTHING);
  });

  it('does not keep an administrator from starting the gateway', async () => {
    const { tenantId, admin } = await aTenant();
    await dying('accounts', 'deleteUser').tenants.delete(tenantId);
    expect(await used.core.accounts.ensureTenantAdmin(admin.email, 'password', 'T')).toBe('present');
    expect(await accounts().getTenant(tenantId)).toBeUndefined();
  });
});

describe('Very many removals', () => {
  const idOf = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
  const removal = (n: number) => ({ kind: 'tenant', id: idOf(n), tenantId: idOf(n), deletedAt: n }) as const;

  /** A store with nothing but notes; what `broken` names cannot be removed. */
  function withNotes(count: number, broken: (id: string) => boolean) {
    const notes = Array.from({ length: count }, (_, n) => removal(n));
    const tried: string[] = [];
    const core = used.another((state: State) => ({
      ...state,
      accounts: over(state.accounts, {
        listRemovals: async (limit) => notes.slice(0, limit),
        finishRemoval: async (id) =>
          void notes.splice(
            notes.findIndex((note) => note.id === id),
            1,
          ),
        listUsers: async (id) => {
          tried.push(id);
          if (broken(id)) throw new Error('cannot be read');
          return { data: [], totalPages: 0, totalElements: 0, hasNext: false };
        },
      }),
    }));
    return { notes, tried, core };
  }

  it('are all taken up in one round', async () => {
    const { notes, core } = withNotes(350, () => false);
    await core.removals.resume();
    expect(notes).toEqual([]);
  });

  it('of which the oldest fail do not keep the others waiting, and those come last from then on', async () => {
    const { notes, tried, core } = withNotes(350, (id) => id < idOf(150));
    for (let round = 0; round < 2; round++) await core.removals.resume();
    expect(notes).toHaveLength(150);
    notes.push(removal(1_000));
    tried.length = 0;
    await core.removals.resume();
    expect([tried[0], tried.length]).toEqual([idOf(1_000), 151]);
  });

  it('are left for another time when the process stops', async () => {
    const { notes, core } = withNotes(10, () => false);
    await core.removals.resume(() => notes.length <= 7);
    expect(notes).toHaveLength(7);
  });
});

describe('Deleting a customer', () => {
  it('removes its users and unassigns its devices', async () => {
    const { tenantId, customer, admin, device } = await aTenant();
    await used.core.customers.delete(tenantId, customer.id);
    expect(await leftOf(tenantId)).toEqual({ ...ALL, users: 1, customers: 0 });
    expect((await accounts().listUsers(tenantId, {}, PAGE)).data).toEqual([admin]);
    expect(await used.core.devices.get(tenantId, device.id)).toMatchObject({ customerId: NULL_UUID });
    await expect(used.core.customers.delete(tenantId, customer.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('is finished by another process where the first one died', async () => {
    const { tenantId, customer, device } = await aTenant();
    await dying('devices', 'updateDevice').customers.delete(tenantId, customer.id);
    expect(await used.core.devices.get(tenantId, device.id)).toMatchObject({ customerId: customer.id });
    used.clock.advance(60_000);
    await used.core.removals.resume();
    expect(await used.core.devices.get(tenantId, device.id)).toMatchObject({ customerId: NULL_UUID });
    expect(await accounts().listRemovals(10)).toEqual([]);
  });

  it('of a foreign tenant does nothing', async () => {
    const { customer } = await aTenant();
    await expect(used.core.customers.delete(used.tenantId, customer.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await accounts().getCustomer(customer.id)).toEqual(customer);
  });
});
