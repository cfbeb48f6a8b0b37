import { OTHER_ADMIN } from '../testing/server-under-test';
import { customerOf, type Entity, made, NO_CUSTOMER, NO_MAIL, useAccounts } from './testing/accounts';

const accounts = useAccounts();
const { aCustomer, get, post, remove, tokenOf, userBody } = accounts;

const NO_CONTACT = {
  country: null,
  state: null,
  city: null,
  address: null,
  address2: null,
  zip: null,
  phone: null,
  email: null,
};

describe('Tenants', () => {
  it('are made, changed, shown, listed and deleted by system administrators', async () => {
    const created = await post(
      '/api/tenant',
      { title: 'Acme', city: 'Kyiv', additionalInfo: { a: 1.5 } },
      accounts.system,
    );
    const { id, createdTime } = created.json<Entity & { createdTime: number }>();
    const tenant = {
      id: { entityType: 'TENANT', id: id.id },
      createdTime,
      additionalInfo: { a: 1.5 },
      ...NO_CONTACT,
      city: 'Kyiv',
      title: 'Acme',
      region: null,
      tenantProfileId: null,
      version: 1,
      name: 'Acme',
    };
    expect(created.json()).toEqual(tenant);
    const changed = await post('/api/tenant', { ...tenant, title: 'Acme 2', region: 'EU' }, accounts.system);
    const next = { ...tenant, title: 'Acme 2', name: 'Acme 2', region: 'EU', version: 2 };
    expect(changed.json()).toEqual(next);
    expect((await post('/api/tenant', { ...tenant, title: 'late' }, accounts.system)).status).toBe(409);
    expect((await get(`/api/tenant/${id.id}`, accounts.system)).json()).toEqual(next);
    const page = await get('/api/tenants?pageSize=10&page=0&textSearch=ACME', accounts.system);
    expect(page.json()).toEqual({ data: [next], totalPages: 1, totalElements: 1, hasNext: false });
    expect((await remove(`/api/tenant/${id.id}`, accounts.system)).status).toBe(200);
    expect((await get(`/api/tenant/${id.id}`, accounts.system)).json()).toMatchObject({
      status: 404,
      errorCode: 32,
      message: `Tenant with id [${id.id}] is not found`,
    });
  });

  it('keep the texts of the numbers in their additional info', async () => {
    const { text } = await post('/api/tenant', JSON.parse('{"title":"N"}'), accounts.system);
    expect(text).toContain('"additionalInfo":null');
    const body = '{"title":"N","additionalInfo":{"b":42.0,"a":9007199254740993}}';
    const answer = await accounts.server.call('POST', '/api/tenant', { token: accounts.system, body });
    expect(answer.text).toContain('"additionalInfo":{"b":42.0,"a":9007199254740993}');
  });

  it('need a title', async () => {
    expect((await post('/api/tenant', { title: ' ' }, accounts.system)).json()).toMatchObject({
      status: 400,
      message: 'Tenant title should be specified!',
    });
    expect((await post('/api/tenant', { title: 'x'.repeat(256) }, accounts.system)).status).toBe(400);
  });

  it('are shown to their own administrators', async () => {
    expect((await get(`/api/tenant/${accounts.tenantId}`)).json()).toMatchObject({ title: 'First' });
  });

  it('take administrators, users, devices and tokens along when they are deleted', async () => {
    const id = await made(post('/api/tenant', { title: 'Gone' }, accounts.system));
    const body = { authority: 'TENANT_ADMIN', tenantId: { entityType: 'TENANT', id }, email: 'gone@x.org' };
    const userId = await made(post(NO_MAIL, body, accounts.system));
    const token = await tokenOf(userId, accounts.system);
    const device = await accounts.server.createDevice(token, 'gone');
    const session = await accounts.server.core.state.devices.getCredentials(device);
    expect((await get('/api/auth/user', token)).status).toBe(200);
    expect((await remove(`/api/tenant/${id}`, accounts.system)).status).toBe(200);
    expect((await get('/api/auth/user', token)).status).toBe(401);
    expect((await get(`/api/user/${userId}`, accounts.system)).status).toBe(404);
    expect(await accounts.server.core.state.devices.resolveCredentials(session?.credentialsId ?? '')).toBeUndefined();
  });
});

describe('Customers', () => {
  it('are made, changed, shown, found, listed and deleted by administrators of their tenant', async () => {
    const created = await post('/api/customer', { title: 'Äpfel', phone: '1', additionalInfo: { note: 'x' } });
    const { id, createdTime } = created.json<Entity & { createdTime: number }>();
    const customer = {
      id: customerOf(id.id),
      createdTime,
      additionalInfo: { note: 'x' },
      ...NO_CONTACT,
      phone: '1',
      title: 'Äpfel',
      tenantId: { entityType: 'TENANT', id: accounts.tenantId },
      externalId: null,
      version: 1,
      name: 'Äpfel',
    };
    expect(created.json()).toEqual(customer);
    expect((await get(`/api/customer/${id.id}`)).json()).toEqual(customer);
    expect((await get(`/api/tenant/customers?customerTitle=${encodeURIComponent('Äpfel')}`)).json()).toEqual(customer);
    expect((await get('/api/customers?pageSize=5&page=0&textSearch=äpf')).json()).toMatchObject({ data: [customer] });
    const changed = await post('/api/customer', { ...customer, title: 'Birnen' });
    expect(changed.json()).toMatchObject({ title: 'Birnen', version: 2 });
    expect((await post('/api/customer', customer)).status).toBe(409);
    expect((await remove(`/api/customer/${id.id}`)).status).toBe(200);
    expect((await get(`/api/customer/${id.id}`)).status).toBe(404);
  });

  it.each([
    ['a title that is taken', { title: 'Taken' }, 'Customer with such title already exists!'],
    ['no title', { title: '' }, 'Customer title should be specified!'],
  ])('are refused with %s', async (_what, body, message) => {
    await post('/api/customer', { title: 'Taken' });
    expect((await post('/api/customer', body)).json()).toMatchObject({ status: 400, errorCode: 31, message });
  });

  it('of one tenant may be called as those of another', async () => {
    const other = (await accounts.server.login(OTHER_ADMIN)).token;
    await made(post('/api/customer', { title: 'Same' }));
    await made(post('/api/customer', { title: 'Same' }, other));
  });

  it('that are deleted leave their devices without a customer, and their users without access', async () => {
    const customerId = await aCustomer();
    const userId = await made(post(NO_MAIL, userBody(customerId)));
    const token = await tokenOf(userId);
    const id = await accounts.server.createDevice(accounts.admin, 'assigned');
    const device = await accounts.server.core.state.devices.getDevice(id);
    if (device) await accounts.server.core.state.devices.updateDevice({ ...device, customerId });
    expect((await get(`/api/device/${id}`, token)).status).toBe(200);
    await remove(`/api/customer/${customerId}`);
    expect((await get(`/api/device/${id}`, token)).status).toBe(401);
    expect((await get(`/api/device/${id}`)).json()).toMatchObject({ customerId: NO_CUSTOMER });
  });

  it('that are public let everybody in who knows their id, for as long as they are', async () => {
    const id = await made(post('/api/customer', { title: 'Open', additionalInfo: { isPublic: true } }));
    const login = () => accounts.server.call('POST', '/api/auth/login/public', { body: { publicId: id } });
    const pair = (await login()).json<{ token: string; refreshToken: string }>();
    const claims = JSON.parse(Buffer.from(pair.token.split('.')[1] ?? '', 'base64url').toString());
    expect(claims).toMatchObject({
      isPublic: true,
      sub: id,
      customerId: id,
      tenantId: accounts.tenantId,
      scopes: ['CUSTOMER_USER'],
    });
    expect((await get('/api/auth/user', pair.token)).json()).toMatchObject({ customerId: customerOf(id) });
    // Nobody can take the session of all others away.
    expect((await post('/api/auth/logout', {}, pair.token)).status).toBe(200);
    const refresh = () =>
      accounts.server.call('POST', '/api/auth/token', { body: { refreshToken: pair.refreshToken } });
    expect((await refresh()).status).toBe(200);
    await post('/api/customer', { id: customerOf(id), title: 'Open' });
    for (const answer of [await login(), await refresh(), await get('/api/auth/user', pair.token)]) {
      expect([answer.status, answer.json()]).toEqual([401, expect.objectContaining({ errorCode: 10 })]);
    }
  });

  it.each(['13814000-1dd2-11b2-8080-808080808080', 'no id', 7])('%j lets nobody in', async (publicId) => {
    expect((await accounts.server.call('POST', '/api/auth/login/public', { body: { publicId } })).status).toBe(401);
  });
});
