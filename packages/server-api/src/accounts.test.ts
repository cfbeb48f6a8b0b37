import { ADMIN, type Answer, OTHER_ADMIN, PASSWORD, ServerUnderTest, SYSTEM_ADMIN } from './testing/server-under-test';

let server: ServerUnderTest;
let system: string;
let admin: string;
let tenantId: string;

beforeAll(async () => {
  server = await ServerUnderTest.start();
  system = (await server.login(SYSTEM_ADMIN)).token;
  admin = (await server.login(ADMIN)).token;
  tenantId = (await server.core.state.accounts.findUserByEmail(ADMIN))?.tenantId ?? '';
});
afterAll(() => server.stop());

interface Entity {
  readonly id: { readonly entityType: string; readonly id: string };
  readonly version: number;
}

const NO_CUSTOMER = { entityType: 'CUSTOMER', id: '13814000-1dd2-11b2-8080-808080808080' };
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

const post = (path: string, body: object, token = admin) => server.call('POST', path, { token, body });
const get = (path: string, token = admin) => server.call('GET', path, { token });
const remove = (path: string, token = admin) => server.call('DELETE', path, { token });

async function made(answer: Promise<Answer>): Promise<string> {
  const { status, text, json } = await answer;
  if (status !== 200) throw new Error(`${status} ${text}`);
  return json<Entity>().id.id;
}

let count = 0;
const aCustomer = () => made(post('/api/customer', { title: `Customer ${++count}` }));
const customerOf = (id: string) => ({ entityType: 'CUSTOMER', id });
const userBody = (customerId: string) => ({
  authority: 'CUSTOMER_USER',
  customerId: customerOf(customerId),
  email: `user${++count}@x.org`,
});
const NO_MAIL = '/api/user?sendActivationMail=false';
const aUser = async () => made(post(NO_MAIL, userBody(await aCustomer())));
const tokenOf = async (userId: string, token = admin) =>
  (await get(`/api/user/${userId}/token`, token)).json<{ token: string }>().token;

describe('Tenants', () => {
  it('are made, changed, shown, listed and deleted by system administrators', async () => {
    const created = await post('/api/tenant', { title: 'Acme', city: 'Kyiv', additionalInfo: { a: 1.5 } }, system);
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
    const changed = await post('/api/tenant', { ...tenant, title: 'Acme 2', region: 'EU' }, system);
    const next = { ...tenant, title: 'Acme 2', name: 'Acme 2', region: 'EU', version: 2 };
    expect(changed.json()).toEqual(next);
    expect((await post('/api/tenant', { ...tenant, title: 'late' }, system)).status).toBe(409);
    expect((await get(`/api/tenant/${id.id}`, system)).json()).toEqual(next);
    const page = await get('/api/tenants?pageSize=10&page=0&textSearch=ACME', system);
    expect(page.json()).toEqual({ data: [next], totalPages: 1, totalElements: 1, hasNext: false });
    expect((await remove(`/api/tenant/${id.id}`, system)).status).toBe(200);
    expect((await get(`/api/tenant/${id.id}`, system)).json()).toMatchObject({
      status: 404,
      errorCode: 32,
      message: `Tenant with id [${id.id}] is not found`,
    });
  });

  it('keep the texts of the numbers in their additional info', async () => {
    const { text } = await post('/api/tenant', JSON.parse('{"title":"N"}'), system);
    expect(text).toContain('"additionalInfo":null');
    const body = '{"title":"N","additionalInfo":{"b":42.0,"a":9007199254740993}}';
    const answer = await server.call('POST', '/api/tenant', { token: system, body });
    expect(answer.text).toContain('"additionalInfo":{"b":42.0,"a":9007199254740993}');
  });

  it('need a title', async () => {
    expect((await post('/api/tenant', { title: ' ' }, system)).json()).toMatchObject({
      status: 400,
      message: 'Tenant title should be specified!',
    });
    expect((await post('/api/tenant', { title: 'x'.repeat(256) }, system)).status).toBe(400);
  });

  it('are shown to their own administrators', async () => {
    expect((await get(`/api/tenant/${tenantId}`)).json()).toMatchObject({ title: 'First' });
  });

  it('take administrators, users, devices and tokens along when they are deleted', async () => {
    const id = await made(post('/api/tenant', { title: 'Gone' }, system));
    const body = { authority: 'TENANT_ADMIN', tenantId: { entityType: 'TENANT', id }, email: 'gone@x.org' };
    const userId = await made(post(NO_MAIL, body, system));
    const token = await tokenOf(userId, system);
    const device = await server.createDevice(token, 'gone');
    const session = await server.core.state.devices.getCredentials(device);
    expect((await get('/api/auth/user', token)).status).toBe(200);
    expect((await remove(`/api/tenant/${id}`, system)).status).toBe(200);
    expect((await get('/api/auth/user', token)).status).toBe(401);
    expect((await get(`/api/user/${userId}`, system)).status).toBe(404);
    expect(await server.core.state.devices.resolveCredentials(session?.credentialsId ?? '')).toBeUndefined();
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
      tenantId: { entityType: 'TENANT', id: tenantId },
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
    const other = (await server.login(OTHER_ADMIN)).token;
    await made(post('/api/customer', { title: 'Same' }));
    await made(post('/api/customer', { title: 'Same' }, other));
  });

  it('that are deleted leave their devices without a customer, and their users without access', async () => {
    const customerId = await aCustomer();
    const userId = await made(post(NO_MAIL, userBody(customerId)));
    const token = await tokenOf(userId);
    const id = await server.createDevice(admin, 'assigned');
    const device = await server.core.state.devices.getDevice(id);
    if (device) await server.core.state.devices.updateDevice({ ...device, customerId });
    expect((await get(`/api/device/${id}`, token)).status).toBe(200);
    await remove(`/api/customer/${customerId}`);
    expect((await get(`/api/device/${id}`, token)).status).toBe(401);
    expect((await get(`/api/device/${id}`)).json()).toMatchObject({ customerId: NO_CUSTOMER });
  });

  it('that are public let everybody in who knows their id, for as long as they are', async () => {
    const id = await made(post('/api/customer', { title: 'Open', additionalInfo: { isPublic: true } }));
    const login = () => server.call('POST', '/api/auth/login/public', { body: { publicId: id } });
    const pair = (await login()).json<{ token: string; refreshToken: string }>();
    const claims = JSON.parse(Buffer.from(pair.token.split('.')[1] ?? '', 'base64url').toString());
    expect(claims).toMatchObject({ isPublic: true, sub: id, customerId: id, tenantId, scopes: ['CUSTOMER_USER'] });
    expect((await get('/api/auth/user', pair.token)).json()).toMatchObject({ customerId: customerOf(id) });
    // Nobody can take the session of all others away.
    expect((await post('/api/auth/logout', {}, pair.token)).status).toBe(200);
    const refresh = () => server.call('POST', '/api/auth/token', { body: { refreshToken: pair.refreshToken } });
    expect((await refresh()).status).toBe(200);
    await post('/api/customer', { id: customerOf(id), title: 'Open' });
    for (const answer of [await login(), await refresh(), await get('/api/auth/user', pair.token)]) {
      expect([answer.status, answer.json()]).toEqual([401, expect.objectContaining({ errorCode: 10 })]);
    }
  });

  it.each(['13814000-1dd2-11b2-8080-808080808080', 'no id', 7])('%j lets nobody in', async (publicId) => {
    expect((await server.call('POST', '/api/auth/login/public', { body: { publicId } })).status).toBe(401);
  });
});

describe('Users', () => {
  it('who are disabled get no tokens, and their activation link stays good', async () => {
    const userId = await made(post(NO_MAIL, userBody(await aCustomer())));
    const link = await get(`/api/user/${userId}/activationLink`);
    const activateToken = new URL(link.text).searchParams.get('activateToken');
    const enable = (enabled: boolean) =>
      post(`/api/user/${userId}/userCredentialsEnabled?userCredentialsEnabled=${enabled}`, {});
    const activate = () =>
      server.call('POST', '/api/noauth/activate', { body: { activateToken, password: 'a good password' } });
    await enable(false);
    expect((await activate()).json()).toMatchObject({
      status: 401,
      errorCode: 10,
      message: 'User account is not active',
    });
    expect((await get(`/api/user/${userId}/token`)).json()).toMatchObject({
      status: 400,
      message: 'User account is not active: no tokens would be good',
    });
    await enable(true);
    expect((await get(`/api/user/${userId}/token`)).status).toBe(200);
    expect((await activate()).status).toBe(200);
  });

  it('are made, changed, shown and listed with exactly their members', async () => {
    const customerId = await aCustomer();
    const body = { ...userBody(customerId), email: 'Ada@X.org', firstName: 'Ada', additionalInfo: { lang: 'en' } };
    const created = await post(NO_MAIL, body);
    const { id, createdTime } = created.json<Entity & { createdTime: number }>();
    const user = {
      id: { entityType: 'USER', id: id.id },
      createdTime,
      additionalInfo: { lang: 'en' },
      tenantId: { entityType: 'TENANT', id: tenantId },
      customerId: customerOf(customerId),
      email: 'ada@x.org',
      authority: 'CUSTOMER_USER',
      firstName: 'Ada',
      lastName: null,
      phone: null,
      name: 'ada@x.org',
      version: 1,
    };
    expect(created.json()).toEqual(user);
    const changed = { ...user, lastName: 'L', version: 2 };
    expect((await post('/api/user', { ...user, lastName: 'L' })).json()).toEqual(changed);
    expect((await post('/api/user', user)).status).toBe(409);
    expect((await get(`/api/user/${id.id}`)).json()).toEqual(changed);
    expect((await get(`/api/customer/${customerId}/users?pageSize=9&page=0`)).json()).toMatchObject({
      data: [changed],
    });
    expect((await get('/api/users?pageSize=9&page=0&textSearch=ADA@')).json()).toMatchObject({ data: [changed] });
    const admins = await get(`/api/tenant/${tenantId}/users?pageSize=9&page=0`, system);
    expect(admins.json<{ data: { email: string }[] }>().data.map(({ email }) => email)).toEqual([ADMIN]);
  });

  it('that are made without saying that no mail is wanted are refused: none can be sent', async () => {
    const body = userBody(await aCustomer());
    for (const path of ['/api/user', '/api/user?sendActivationMail=true']) {
      expect((await post(path, body)).json()).toMatchObject({
        status: 400,
        message: 'No mail can be sent: create users with sendActivationMail=false, and ask for their activation link',
      });
    }
    expect(await server.core.state.accounts.findUserByEmail(body.email)).toBeUndefined();
  });

  it.each([
    ['an address that is taken', { email: ADMIN }, `User with email '${ADMIN}' already present in database!`],
    ['no address', { email: 'nobody' }, 'Invalid email address format'],
    ['an address with a line break', { email: 'a@x.org\nBcc: b@x.org' }, 'Invalid email address format'],
    ['no authority', { authority: null }, 'User authority should be specified!'],
    ['no customer', { customerId: null }, 'Customer user should be assigned to customer!'],
    [
      'a customer that is not there',
      { customerId: customerOf('00000000-0000-4000-8000-000000000000') },
      'User is referencing to non-existent customer!',
    ],
    [
      'a customer of an administrator',
      { authority: 'TENANT_ADMIN' },
      "Tenant administrator can't be assigned to customer!",
    ],
  ])('are refused with %s', async (_what, change, message) => {
    const answer = await post(NO_MAIL, { ...userBody(await aCustomer()), ...change });
    expect(answer.json()).toMatchObject({ status: 400, errorCode: 31, message });
  });

  it('are not made for a customer of another tenant', async () => {
    const other = (await server.login(OTHER_ADMIN)).token;
    const answer = await post(NO_MAIL, userBody(await aCustomer()), other);
    expect(answer.json()).toMatchObject({ status: 400, message: 'User is referencing to non-existent customer!' });
  });

  it('never change sides', async () => {
    const id = await aUser();
    const user = (await get(`/api/user/${id}`)).json();
    for (const [change, what] of [
      [{ authority: 'TENANT_ADMIN' }, 'authority'],
      [{ customerId: customerOf(await aCustomer()) }, 'customer'],
      [{ tenantId: { entityType: 'TENANT', id } }, 'tenant'],
    ] as const) {
      expect((await post('/api/user', { ...user, ...change })).json()).toMatchObject({
        status: 400,
        message: `Can't change the ${what} of a user!`,
      });
    }
  });

  it('are made by system administrators for tenants alone, and by tenant administrators below them', async () => {
    const asCustomer = userBody(await aCustomer());
    expect((await post(NO_MAIL, asCustomer, system)).status).toBe(403);
    const asAdmin = { authority: 'TENANT_ADMIN', email: `admin${++count}@x.org` };
    expect((await post(NO_MAIL, asAdmin, system)).json()).toMatchObject({
      message: 'Tenant administrator should be assigned to tenant!',
    });
    const nowhere = { ...asAdmin, tenantId: { entityType: 'TENANT', id: '00000000-0000-4000-8000-000000000000' } };
    expect((await post(NO_MAIL, nowhere, system)).json()).toMatchObject({
      message: 'User is referencing to non-existent tenant!',
    });
    expect((await post(NO_MAIL, { ...asAdmin, authority: 'SYS_ADMIN' }, system)).status).toBe(403);
    expect((await post(NO_MAIL, { ...asAdmin, authority: 'SYS_ADMIN' })).status).toBe(403);
    // Whatever tenant is named: it is the caller's.
    expect((await post(NO_MAIL, nowhere)).json()).toMatchObject({ tenantId: { id: tenantId } });
  });

  it('act on themselves: they see and change their own account and no other one', async () => {
    const [id, beside] = [await aUser(), await aUser()];
    const token = await tokenOf(id);
    const own = (await get(`/api/user/${id}`, token)).json();
    expect((await post('/api/user', { ...own, firstName: 'Me' }, token)).json()).toMatchObject({ firstName: 'Me' });
    expect((await get(`/api/user/${beside}`, token)).status).toBe(403);
    expect((await post(NO_MAIL, userBody(await aCustomer()), token)).status).toBe(403);
    expect((await remove(`/api/user/${id}`, token)).status).toBe(403);
    expect((await get(`/api/user/${id}/token`, token)).status).toBe(403);
  });

  it('that are deleted are out at once', async () => {
    const id = await aUser();
    const token = await tokenOf(id);
    expect((await get('/api/auth/user', token)).status).toBe(200);
    expect((await remove(`/api/user/${id}`)).status).toBe(200);
    expect((await get('/api/auth/user', token)).status).toBe(401);
    expect((await remove(`/api/user/${id}`)).status).toBe(404);
  });

  it('that are system administrators do not delete themselves', async () => {
    const { id } = (await get('/api/auth/user', system)).json<Entity>();
    expect((await remove(`/api/user/${id.id}`, system)).json()).toMatchObject({
      status: 403,
      message: 'Sysadmin is not allowed to delete himself',
    });
  });

  it('that are disabled are out at once, and in again when they log in after they were enabled', async () => {
    const user = await server.addUser('off@x.org', { customerId: await aCustomer() });
    const { token } = await server.login('off@x.org');
    await get('/api/auth/user', token);
    const enable = (value: boolean) =>
      post(`/api/user/${user.id}/userCredentialsEnabled?userCredentialsEnabled=${value}`, {});
    expect((await enable(false)).status).toBe(200);
    expect((await get('/api/auth/user', token)).status).toBe(401);
    expect((await enable(true)).status).toBe(200);
    expect((await get('/api/auth/user', token)).status).toBe(401);
    expect((await get('/api/auth/user', (await server.login('off@x.org')).token)).status).toBe(200);
  });
});

describe('Tokens of others', () => {
  it('are those of tenant administrators for the system, and of customers\u2019 users for their tenant', async () => {
    const { id: adminId } = (await get('/api/auth/user')).json<Entity>();
    expect((await get('/api/auth/user', await tokenOf(adminId.id, system))).json()).toMatchObject({ email: ADMIN });
    const id = await aUser();
    const pair = (await get(`/api/user/${id}/token`)).json<{ token: string }>();
    expect(pair).toEqual({ token: expect.any(String), refreshToken: expect.any(String), scope: null });
    expect((await get('/api/auth/user', pair.token)).json<Entity>().id.id).toBe(id);
    expect((await get(`/api/user/${id}/token`, system)).status).toBe(403);
    expect((await get(`/api/user/${adminId.id}/token`)).status).toBe(403);
    expect((await get('/api/user/tokenAccessEnabled')).text).toBe('true');
  });
});

describe('The first password', () => {
  const activate = (activateToken: string, password: string) =>
    server.call('POST', '/api/noauth/activate?sendActivationMail=false', { body: { activateToken, password } });

  it('is set by whoever has the link, who is then logged in', async () => {
    const id = await aUser();
    const link = await get(`/api/user/${id}/activationLink`);
    expect(link.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(link.text).toMatch(new RegExp(`^http://127.0.0.1:${server.port}/api/noauth/activate\\?activateToken=\\w+$`));
    expect((await get(`/api/user/${id}/activationLinkInfo`)).json()).toEqual({ value: link.text, ttlMs: 86_400_000 });
    const token = link.text.split('=')[1] ?? '';
    const opened = await server.call('GET', `/api/noauth/activate?activateToken=${token}`);
    expect([opened.status, opened.headers.get('location')]).toEqual([
      303,
      `/login/createPassword?activateToken=${token}`,
    ]);
    expect((await activate(token, 'short')).json()).toMatchObject({ status: 401, errorCode: 45 });
    const pair = await activate(token, PASSWORD);
    expect((await get('/api/auth/user', pair.json<{ token: string }>().token)).json<Entity>().id.id).toBe(id);
    expect((await activate(token, PASSWORD)).json()).toMatchObject({ status: 400, errorCode: 31 });
    expect((await server.call('GET', `/api/noauth/activate?activateToken=${token}`)).status).toBe(409);
    expect((await get(`/api/user/${id}/activationLink`)).json()).toMatchObject({
      status: 400,
      message: 'User is already activated!',
    });
    const { email } = (await get(`/api/user/${id}`)).json<{ email: string }>();
    await server.login(email);
  });

  it('is not set without a token', async () => {
    expect((await server.call('GET', '/api/noauth/activate')).status).toBe(400);
    expect((await activate('', PASSWORD)).status).toBe(400);
  });
});
