import { NULL_UUID } from './model';
import { useCore } from './testing/core-under-test';

const used = useCore();
const create = (name: string, token?: string, more: { type?: string; deviceProfileId?: string } = {}) =>
  used.core.devices.create(used.tenantId, { name, ...more }, { credentialsId: token });
const rejects = (promise: Promise<unknown>, code: string, message?: string | RegExp) =>
  expect(promise).rejects.toMatchObject({ code, ...(message ? { message: expect.stringMatching(message) } : {}) });

describe('A device', () => {
  it('without a token of its own gets one of 20 letters and digits, another for each', async () => {
    const tokens = await Promise.all(
      ['a', 'b'].map(async (name) => {
        const { id } = await create(name);
        return (await used.core.devices.credentials(used.tenantId, id)).credentialsId;
      }),
    );
    for (const token of tokens) expect(token).toMatch(/^[A-Za-z0-9]{20}$/);
    expect(tokens[0]).not.toBe(tokens[1]);
  });

  it('has a name that is its own within the tenant, and a token that is its own everywhere', async () => {
    await create('name', 'token');
    await rejects(create('name', 'other'), 'BAD_REQUEST', /name already exists/);
    await rejects(create('other', 'token'), 'BAD_REQUEST', /credentials are already registered/);
    expect((await create('other', 'other')).name).toBe('other');
  });

  it.each([
    ['', 'token'],
    ['  ', 'token'],
    ['x'.repeat(256), 'token'],
    ['name', 'x'.repeat(256)],
    ['name', '  '],
    ['name', 'a\u0000'],
    ['name', 'a\ud800'],
    ['a\udc00', 'token'],
    ['a\u0000', 'token'],
  ])('is refused with the name "%.10s" and the token "%.10s"', (name, token) =>
    rejects(create(name, token), 'BAD_REQUEST'),
  );

  it('is of the default profile, of the one that is named, or of the one that is made by that name', async () => {
    const plain = await create('plain');
    expect(plain.type).toBe('default');
    const oven = await create('oven', undefined, { type: 'oven' });
    const second = await create('second', undefined, { type: 'oven' });
    expect(second.deviceProfileId).toBe(oven.deviceProfileId);
    const third = await create('third', undefined, { deviceProfileId: oven.deviceProfileId, type: 'ignored' });
    expect(third.type).toBe('oven');
    const unknown = '00000000-0000-4000-8000-000000000000';
    await rejects(create('fourth', undefined, { deviceProfileId: unknown }), 'BAD_REQUEST', /non existing/);
  });

  it('of another tenant is not there', async () => {
    const { id } = await create('mine');
    await used.core.accounts.ensureTenantAdmin('other@example.org', 'password', 'Other');
    const other = (await used.core.state.accounts.findUserByEmail('other@example.org'))?.tenantId ?? '';
    const { devices } = used.core;
    await rejects(devices.get(other, id), 'NOT_FOUND');
    await rejects(devices.credentials(other, id), 'NOT_FOUND');
    await rejects(devices.update(other, { id, name: 'theirs' }), 'NOT_FOUND');
    await rejects(devices.delete(other, id), 'NOT_FOUND');
    await rejects(devices.findByName(other, 'mine'), 'NOT_FOUND');
    await rejects(devices.updateCredentials(other, id, { credentialsType: 'ACCESS_TOKEN' }), 'NOT_FOUND');
    expect((await devices.list(other, { page: 0, pageSize: 10 })).totalElements).toBe(0);
    expect((await devices.get(used.tenantId, id)).name).toBe('mine');
  });

  it('that somebody else has changed meanwhile is not overwritten', async () => {
    const { id, version } = await create('versioned');
    await used.core.devices.update(used.tenantId, { id, name: 'first', version });
    await rejects(used.core.devices.update(used.tenantId, { id, name: 'second', version }), 'VERSION_CONFLICT');
    expect((await used.core.devices.get(used.tenantId, id)).name).toBe('first');
  });

  it('is changed by each of twenty at once that do not say which version they saw', async () => {
    const { devices, profiles, customers, users, tenants } = used.core;
    const { tenantId } = used;
    const twenty = <T>(change: (n: number) => Promise<T>) =>
      Promise.all(Array.from({ length: 20 }, (_, n) => change(n)));
    const { id, deviceProfileId } = await create('wanted');
    await twenty((n) => devices.update(tenantId, { id, name: 'wanted', label: `${n}` }));
    expect((await devices.get(tenantId, id)).version).toBe(21);
    await twenty((n) =>
      devices.updateCredentials(tenantId, id, { credentialsType: 'ACCESS_TOKEN', credentialsId: `${n}` }),
    );
    expect((await devices.credentials(tenantId, id)).version).toBe(21);
    const customer = await customers.create(tenantId, { title: 'wanted' });
    await twenty((n) => customers.update(tenantId, customer.id, { title: 'wanted', city: `${n}` }));
    expect((await customers.get(tenantId, customer.id)).version).toBe(21);
    const email = 'wanted@example.org';
    const user = await users.create({ tenantId, authority: 'TENANT_ADMIN', customerId: NULL_UUID }, { email });
    await twenty((n) => users.update(user, { email, firstName: `${n}` }));
    expect((await users.get(user.id)).version).toBe(21);
    const { title, version } = await tenants.get(tenantId);
    await twenty((n) => tenants.update(tenantId, { title, city: `${n}` }));
    expect((await tenants.get(tenantId)).version).toBe(version + 20);
    const profile = { id: deviceProfileId, name: 'default', type: 'DEFAULT', transportType: 'DEFAULT' } as const;
    await twenty((n) => profiles.save(tenantId, { ...profile, description: `${n}` }));
    expect((await profiles.get(tenantId, deviceProfileId)).version).toBe(21);
  });

  it('has an access token or a certificate, and keeps what it has when the other is none', async () => {
    const { id } = await create('typed');
    const { devices } = used.core;
    await rejects(
      devices.updateCredentials(used.tenantId, id, { credentialsType: 'X509_CERTIFICATE', credentialsId: 'x' }),
      'BAD_REQUEST',
      /certificate should be specified/,
    );
    await rejects(devices.updateCredentials(used.tenantId, id, {}), 'BAD_REQUEST', /type should be specified/);
    expect(await devices.credentials(used.tenantId, id)).toMatchObject({ credentialsType: 'ACCESS_TOKEN', version: 1 });
  });
});

describe('A tenant that may have so many devices', () => {
  const limited = useCore({ TANDEM_TENANT_MAX_DEVICES: '2' });

  it('is told the limit with the next one, which is not made, and may have it when another has gone', async () => {
    const make = (name: string) => limited.core.devices.create(limited.tenantId, { name });
    const first = await make('a');
    await make('b');
    await rejects(
      make('c'),
      'BAD_REQUEST',
      /^The tenant has as many devices as it may have: 2 \(TANDEM_TENANT_MAX_DEVICES\)$/,
    );
    expect(await limited.core.devices.find(limited.tenantId, 'c')).toBeUndefined();
    expect(limited.gauge('tandem_limit_hits_total', { limit: 'TANDEM_TENANT_MAX_DEVICES' })).toBe(1);
    await limited.core.devices.delete(limited.tenantId, first.id);
    await make('c');
  });
});
