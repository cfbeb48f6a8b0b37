import { type Entity, useAccounts } from './testing/accounts';

const accounts = useAccounts();
const { aUser, get, post, remove, tokenOf } = accounts;

describe('API keys', () => {
  const aKey = async (userId: string, given: object = {}, token = accounts.admin) =>
    post('/api/apiKey', { userId: { entityType: 'USER', id: userId }, description: 'cron', ...given }, token);
  const whoAmI = (value: string, header = 'X-Authorization') =>
    accounts.server.call('GET', '/api/auth/user', { headers: { [header]: `ApiKey ${value}` } });

  it('act as their user, and are shown once', async () => {
    const { id } = (await get('/api/auth/user')).json<Entity>();
    const created = await aKey(id.id, { expirationTime: 0, enabled: true });
    const { value, ...info } = created.json<{ value: string; id: { id: string }; createdTime: number }>();
    expect(info).toEqual({
      id: { entityType: 'API_KEY', id: info.id.id },
      createdTime: info.createdTime,
      tenantId: { entityType: 'TENANT', id: accounts.tenantId },
      userId: { entityType: 'USER', id: id.id },
      expirationTime: 0,
      description: 'cron',
      enabled: true,
      expired: false,
    });
    expect((await whoAmI(value)).json<Entity>().id.id).toBe(id.id);
    expect((await whoAmI(value, 'Authorization')).status).toBe(200);
    expect((await get(`/api/apiKeys/${id.id}?pageSize=5&page=0`)).json()).toMatchObject({ data: [info] });
    const described = await accounts.server.call('PUT', `/api/apiKey/${info.id.id}/description`, {
      token: accounts.admin,
      body: 'night',
    });
    expect(described.json()).toEqual({ ...info, description: 'night' });
    const put = (enabled: string) =>
      accounts.server.call('PUT', `/api/apiKey/${info.id.id}/enabled/${enabled}`, { token: accounts.admin });
    expect((await put('false')).json()).toMatchObject({ enabled: false });
    expect((await whoAmI(value)).json()).toMatchObject({
      status: 401,
      errorCode: 10,
      message: 'Authentication failed',
    });
    expect((await put('maybe')).status).toBe(400);
    await put('true');
    expect((await whoAmI(value)).status).toBe(200);
    expect(
      (await accounts.server.call('POST', '/api/auth/logout', { headers: { 'X-Authorization': `ApiKey ${value}` } }))
        .status,
    ).toBe(200);
    expect((await whoAmI(value)).status).toBe(200);
    expect((await remove(`/api/apiKey/${info.id.id}`)).status).toBe(200);
    expect((await whoAmI(value)).status).toBe(401);
    expect((await remove(`/api/apiKey/${info.id.id}`)).status).toBe(404);
  });

  it('are made for oneself and for the users below, and changed by whoever may act on their user', async () => {
    const userId = await aUser();
    const token = await tokenOf(userId);
    expect((await aKey(userId, {}, token)).status).toBe(200);
    const { value, id } = (await aKey(userId)).json<{ value: string; id: object }>();
    expect((await whoAmI(value)).json<Entity>().id.id).toBe(userId);
    expect((await aKey(await aUser(), {}, token)).status).toBe(403);
    expect((await aKey(userId, {}, accounts.system)).status).toBe(403);
    const changed = await aKey(userId, { id, description: 'changed', enabled: false });
    expect(changed.json()).toMatchObject({ description: 'changed', enabled: false, value: null });
    expect((await whoAmI(value)).status).toBe(401);
  });

  it('are given another time to expire, and never another user', async () => {
    const userId = await aUser();
    const { id, value } = (await aKey(userId)).json<{ id: object; value: string }>();
    const expirationTime = accounts.server.clock.now() + 1_000;
    expect((await aKey(userId, { id, expirationTime })).json()).toMatchObject({ expirationTime });
    expect((await aKey(userId, { id, description: 'night' })).json()).toMatchObject({ expirationTime });
    expect((await aKey(await aUser(), { id })).json()).toMatchObject({
      status: 400,
      message: 'The user of an API key cannot be changed',
    });
    expect((await aKey(userId, { id, expirationTime: 1 })).status).toBe(400);
    accounts.server.clock.advance(1_000);
    expect((await whoAmI(value)).status).toBe(401);
    expect((await aKey(userId, { id, expirationTime, description: 'over' })).status).toBe(200);
    expect((await aKey(userId, { id, expirationTime: 0 })).json()).toMatchObject({ expired: false });
    expect((await whoAmI(value)).status).toBe(200);
  });

  it('of what is no user id are refused', async () => {
    expect((await aKey('no-uuid')).status).toBe(400);
  });

  it('that expire do', async () => {
    const { id } = (await get('/api/auth/user')).json<Entity>();
    expect((await aKey(id.id, { expirationTime: accounts.server.clock.now() })).status).toBe(400);
    const until = accounts.server.clock.now() + 1_000;
    const { value } = (await aKey(id.id, { expirationTime: until })).json<{ value: string }>();
    expect((await whoAmI(value)).status).toBe(200);
    accounts.server.clock.advance(1_000);
    expect((await whoAmI(value)).status).toBe(401);
  });
});
