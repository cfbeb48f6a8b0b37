import { ADMIN, OTHER_ADMIN, PASSWORD } from '../testing/server-under-test';
import { customerOf, type Entity, made, NO_MAIL, useAccounts } from './testing/accounts';

const accounts = useAccounts();
const { aCustomer, aUser, get, post, remove, tokenOf, userBody } = accounts;

describe('Users', () => {
  it('who are disabled get no tokens, and their activation link stays good', async () => {
    const userId = await made(post(NO_MAIL, userBody(await aCustomer())));
    const link = await get(`/api/user/${userId}/activationLink`);
    const activateToken = new URL(link.text).searchParams.get('activateToken');
    const enable = (enabled: boolean) =>
      post(`/api/user/${userId}/userCredentialsEnabled?userCredentialsEnabled=${enabled}`, {});
    const activate = () =>
      accounts.server.call('POST', '/api/noauth/activate', { body: { activateToken, password: 'a good password' } });
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
      tenantId: { entityType: 'TENANT', id: accounts.tenantId },
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
    const admins = await get(`/api/tenant/${accounts.tenantId}/users?pageSize=9&page=0`, accounts.system);
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
    expect(await accounts.server.core.state.accounts.findUserByEmail(body.email)).toBeUndefined();
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
    const other = (await accounts.server.login(OTHER_ADMIN)).token;
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
    expect((await post(NO_MAIL, asCustomer, accounts.system)).status).toBe(403);
    const asAdmin = { authority: 'TENANT_ADMIN', email: 'admin-of-none@x.org' };
    expect((await post(NO_MAIL, asAdmin, accounts.system)).json()).toMatchObject({
      message: 'Tenant administrator should be assigned to tenant!',
    });
    const nowhere = { ...asAdmin, tenantId: { entityType: 'TENANT', id: '00000000-0000-4000-8000-000000000000' } };
    expect((await post(NO_MAIL, nowhere, accounts.system)).json()).toMatchObject({
      message: 'User is referencing to non-existent tenant!',
    });
    expect((await post(NO_MAIL, { ...asAdmin, authority: 'SYS_ADMIN' }, accounts.system)).status).toBe(403);
    expect((await post(NO_MAIL, { ...asAdmin, authority: 'SYS_ADMIN' })).status).toBe(403);
    // Whatever tenant is named: it is the caller's.
    expect((await post(NO_MAIL, nowhere)).json()).toMatchObject({ tenantId: { id: accounts.tenantId } });
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
    const { id } = (await get('/api/auth/user', accounts.system)).json<Entity>();
    expect((await remove(`/api/user/${id.id}`, accounts.system)).json()).toMatchObject({
      status: 403,
      message: 'Sysadmin is not allowed to delete himself',
    });
  });

  it('that are disabled are out at once, and in again when they log in after they were enabled', async () => {
    const user = await accounts.server.addUser('off@x.org', { customerId: await aCustomer() });
    const { token } = await accounts.server.login('off@x.org');
    await get('/api/auth/user', token);
    const enable = (value: boolean) =>
      post(`/api/user/${user.id}/userCredentialsEnabled?userCredentialsEnabled=${value}`, {});
    expect((await enable(false)).status).toBe(200);
    expect((await get('/api/auth/user', token)).status).toBe(401);
    expect((await enable(true)).status).toBe(200);
    expect((await get('/api/auth/user', token)).status).toBe(401);
    expect((await get('/api/auth/user', (await accounts.server.login('off@x.org')).token)).status).toBe(200);
  });
});

describe('Tokens of others', () => {
  it('are those of tenant administrators for the system, and of customers\u2019 users for their tenant', async () => {
    const { id: adminId } = (await get('/api/auth/user')).json<Entity>();
    expect((await get('/api/auth/user', await tokenOf(adminId.id, accounts.system))).json()).toMatchObject({
      email: ADMIN,
    });
    const id = await aUser();
    const pair = (await get(`/api/user/${id}/token`)).json<{ token: string }>();
    expect(pair).toEqual({ token: expect.any(String), refreshToken: expect.any(String), scope: null });
    expect((await get('/api/auth/user', pair.token)).json<Entity>().id.id).toBe(id);
    expect((await get(`/api/user/${id}/token`, accounts.system)).status).toBe(403);
    expect((await get(`/api/user/${adminId.id}/token`)).status).toBe(403);
    expect((await get('/api/user/tokenAccessEnabled')).text).toBe('true');
  });
});

describe('The first password', () => {
  const activate = (activateToken: string, password: string) =>
    accounts.server.call('POST', '/api/noauth/activate?sendActivationMail=false', {
      body: { activateToken, password },
    });

  it('is set by whoever has the link, who is then logged in', async () => {
    const id = await aUser();
    const link = await get(`/api/user/${id}/activationLink`);
    expect(link.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(link.text).toMatch(
      new RegExp(`^http://127.0.0.1:${accounts.server.port}/api/noauth/activate\\?activateToken=\\w+$`),
    );
    expect((await get(`/api/user/${id}/activationLinkInfo`)).json()).toEqual({ value: link.text, ttlMs: 86_400_000 });
    const token = link.text.split('=')[1] ?? '';
    const opened = await accounts.server.call('GET', `/api/noauth/activate?activateToken=${token}`);
    expect([opened.status, opened.headers.get('location')]).toEqual([
      303,
      `/login/createPassword?activateToken=${token}`,
    ]);
    expect((await activate(token, 'short')).json()).toMatchObject({ status: 401, errorCode: 45 });
    const pair = await activate(token, PASSWORD);
    expect((await get('/api/auth/user', pair.json<{ token: string }>().token)).json<Entity>().id.id).toBe(id);
    expect((await activate(token, PASSWORD)).json()).toMatchObject({ status: 400, errorCode: 31 });
    expect((await accounts.server.call('GET', `/api/noauth/activate?activateToken=${token}`)).status).toBe(409);
    expect((await get(`/api/user/${id}/activationLink`)).json()).toMatchObject({
      status: 400,
      message: 'User is already activated!',
    });
    const { email } = (await get(`/api/user/${id}`)).json<{ email: string }>();
    await accounts.server.login(email);
  });

  it('is not set without a token', async () => {
    expect((await accounts.server.call('GET', '/api/noauth/activate')).status).toBe(400);
    expect((await activate('', PASSWORD)).status).toBe(400);
  });
});
