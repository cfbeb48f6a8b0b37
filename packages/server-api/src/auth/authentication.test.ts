import jwt, { type JwtPayload } from 'jsonwebtoken';
import { ADMIN, PASSWORD, ServerUnderTest, SYSTEM_ADMIN } from '../testing/server-under-test';

let server: ServerUnderTest;
beforeAll(async () => {
  server = await ServerUnderTest.start({ JWT_TOKEN_ISSUER: 'tandem.test' });
});
afterAll(() => server.stop());

const login = (body: string | object) => server.call('POST', '/api/auth/login', { body });
const whoAmI = (headers: Record<string, string>) => server.call('GET', '/api/auth/user', { headers });
const error = (status: number, errorCode: number, message: string) => ({
  status,
  message,
  errorCode,
  timestamp: server.clock.now(),
});

async function signedWithOurKey(claims: object, algorithm: jwt.Algorithm = 'HS512'): Promise<string> {
  return jwt.sign(claims, await server.core.state.secret('jwt'), { algorithm });
}

describe('login', () => {
  it('gives a token pair whose access token says who the user is and when it ends', async () => {
    const { token, refreshToken, ...rest } = (await login({ username: ADMIN, password: PASSWORD })).json();
    expect(rest).toEqual({ scope: null });
    const { header, payload } = jwt.decode(String(token), { complete: true }) ?? {};
    expect(header?.alg).toBe('HS512');
    const user = await server.core.state.accounts.findUserByEmail(ADMIN);
    const iat = Math.floor(server.clock.now() / 1000);
    expect(payload).toEqual({
      sub: ADMIN,
      userId: user?.id,
      scopes: ['TENANT_ADMIN'],
      sessionId: expect.any(String),
      iss: 'tandem.test',
      iat,
      exp: iat + 9000,
      enabled: true,
      generation: 1,
      isPublic: false,
      tenantId: user?.tenantId,
      customerId: '13814000-1dd2-11b2-8080-808080808080',
    });
    expect(jwt.decode(String(refreshToken))).toMatchObject({
      scopes: ['REFRESH_TOKEN'],
      jti: expect.any(String),
      iat,
      exp: iat + 604_800,
    });
  });

  it('takes the e-mail address in any letter case', async () => {
    expect((await login({ username: ADMIN.toUpperCase(), password: PASSWORD })).status).toBe(200);
  });

  it.each([
    ['a wrong password', { username: ADMIN, password: 'wrong' }, 'Invalid username or password'],
    ['an unknown user', { username: 'nobody@x.org', password: PASSWORD }, 'Invalid username or password'],
    ['a blank user name', { username: '  ', password: PASSWORD }, 'Authentication failed'],
    ['no password', { username: ADMIN }, 'Authentication failed'],
    ['a password that is no string', { username: ADMIN, password: 1 }, 'Authentication failed'],
    ['a body that is no object', [], 'Authentication failed'],
    ['a body that is no JSON', '{"username":', 'Authentication failed'],
    ['an empty body', '', 'Authentication failed'],
  ])('refuses %s with 401', async (_case, body, message) => {
    const answer = await login(body);
    expect(answer.status).toBe(401);
    expect(answer.json()).toEqual(error(401, 10, message));
  });

  it('tells a disabled account only to whoever knows its password', async () => {
    await server.addUser('disabled@x.org', {}, { enabled: false });
    expect((await login({ username: 'disabled@x.org', password: PASSWORD })).json()).toMatchObject({
      status: 401,
      message: 'User account is not active',
    });
    expect((await login({ username: 'disabled@x.org', password: 'wrong' })).json()).toMatchObject({
      status: 401,
      message: 'Invalid username or password',
    });
  });

  it.each(['GET', 'PUT', 'DELETE'])('refuses the method %s as an authentication', async (method) => {
    const answer = await server.call(method, '/api/auth/login');
    expect(answer.json()).toEqual(error(401, 10, 'Authentication method not supported'));
  });

  it('refuses a body larger than any login', async () => {
    const answer = await login({ username: ADMIN, password: 'x'.repeat(70_000) });
    expect(answer.json()).toMatchObject({ status: 413, errorCode: 31 });
  });

  it('answers 429 with a time to retry when too many logins come at once, and works again afterwards', async () => {
    const answers = await Promise.all(
      Array.from({ length: 90 }, () => login({ username: 'flood@x.org', password: 'guess' })),
    );
    const statuses = answers.map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([401, 429]));
    expect(statuses.filter((status) => status === 401).length).toBeGreaterThanOrEqual(66);
    expect(answers.find(({ status }) => status === 429)?.headers.get('retry-after')).toBe('1');
    expect((await login({ username: ADMIN, password: PASSWORD })).status).toBe(200);
  });
});

describe('a token', () => {
  it('is taken from X-Authorization, and from Authorization only where that is absent or empty', async () => {
    const { token } = await server.login();
    expect((await whoAmI({ 'X-Authorization': `Bearer ${token}` })).status).toBe(200);
    expect((await whoAmI({ Authorization: `Bearer ${token}` })).status).toBe(200);
    expect((await whoAmI({ 'X-Authorization': 'Bearer junk', Authorization: `Bearer ${token}` })).status).toBe(401);
    expect((await whoAmI({ 'X-Authorization': '', Authorization: `Bearer ${token}` })).status).toBe(200);
    expect((await whoAmI({ 'X-Authorization': '', Authorization: '' })).status).toBe(401);
    expect((await whoAmI({ 'X-Authorization': `Bearer  ${token}` })).status).toBe(200);
  });

  it.each([
    ['no token', async () => undefined],
    ['junk', async () => 'Bearer junk'],
    ['another scheme', async () => `Basic ${(await server.login()).token}`],
    ['a refresh token', async () => `Bearer ${(await server.login()).refreshToken}`],
    [
      'a token of another key',
      async () => {
        const claims = jwt.decode((await server.login()).token) as JwtPayload;
        return `Bearer ${jwt.sign(claims, Buffer.alloc(64, 1), { algorithm: 'HS512' })}`;
      },
    ],
    [
      'our key with another algorithm',
      async () => {
        const claims = jwt.decode((await server.login()).token) as JwtPayload;
        return `Bearer ${await signedWithOurKey(claims, 'HS256')}`;
      },
    ],
    [
      'a token without signature',
      async () => {
        const claims = jwt.decode((await server.login()).token) as JwtPayload;
        return `Bearer ${jwt.sign(claims, null, { algorithm: 'none' })}`;
      },
    ],
    [
      'a token that never ends',
      async () => {
        const { exp: _exp, ...claims } = jwt.decode((await server.login()).token) as JwtPayload;
        return `Bearer ${await signedWithOurKey(claims)}`;
      },
    ],
    [
      'a token of another issuer',
      async () => {
        const claims = jwt.decode((await server.login()).token) as JwtPayload;
        return `Bearer ${await signedWithOurKey({ ...claims, iss: 'someone.else' })}`;
      },
    ],
  ])('that is %s gets 401', async (_case, header) => {
    const value = await header();
    const answer = await whoAmI(value === undefined ? {} : { 'X-Authorization': value });
    expect(answer.status).toBe(401);
    expect(answer.json()).toEqual(error(401, 10, 'Authentication failed'));
  });

  it('that has expired gets 401 with a code of its own', async () => {
    const { token } = await server.login();
    server.clock.advance(9_001_000);
    const answer = await whoAmI({ 'X-Authorization': `Bearer ${token}` });
    expect(answer.json()).toEqual(error(401, 11, 'Token has expired'));
  });

  it('ends with its account', async () => {
    const user = await server.addUser('gone@x.org');
    const { token, refreshToken } = await server.login('gone@x.org');
    expect((await whoAmI({ 'X-Authorization': `Bearer ${token}` })).status).toBe(200);
    await server.core.logins.setEnabled(user.id, false);
    expect((await whoAmI({ 'X-Authorization': `Bearer ${token}` })).status).toBe(401);
    expect((await server.call('POST', '/api/auth/token', { body: { refreshToken } })).status).toBe(401);
  });
});

describe('a refresh token', () => {
  it('gives a new pair', async () => {
    const first = await server.login();
    const answer = await server.call('POST', '/api/auth/token', { body: { refreshToken: first.refreshToken } });
    const { token } = answer.json<{ token: string }>();
    expect((await whoAmI({ 'X-Authorization': `Bearer ${token}` })).status).toBe(200);
    const session = (text: string) => (jwt.decode(text) as JwtPayload).sessionId;
    expect(session(token)).toBe(session(first.token));
  });

  it.each([
    ['an access token', async () => ({ refreshToken: (await server.login()).token })],
    ['junk', async () => ({ refreshToken: 'junk' })],
    ['nothing', async () => ({})],
  ])('cannot be replaced by %s', async (_case, body) => {
    expect((await server.call('POST', '/api/auth/token', { body: await body() })).status).toBe(401);
  });
});

describe('a session', () => {
  it('shows its user without anything that opens the account', async () => {
    const { token } = await server.login(SYSTEM_ADMIN);
    const user = (await server.call('GET', '/api/auth/user', { token })).json();
    expect(Object.keys(user).sort()).toEqual(
      [
        'id',
        'createdTime',
        'additionalInfo',
        'tenantId',
        'customerId',
        'email',
        'authority',
        'firstName',
        'lastName',
        'phone',
        'name',
        'version',
      ].sort(),
    );
    expect(user).toMatchObject({ email: SYSTEM_ADMIN, authority: 'SYS_ADMIN', id: { entityType: 'USER' } });
  });

  it('is left with 200 and no body', async () => {
    const { token } = await server.login();
    const answer = await server.call('POST', '/api/auth/logout', { token });
    expect([answer.status, answer.text]).toEqual([200, '']);
  });
});

it('writes neither passwords nor tokens nor hashes into the log', async () => {
  const { token } = await server.login();
  await login({ username: ADMIN, password: 'a wrong secret' });
  await whoAmI({ 'X-Authorization': `Bearer ${token}x` });
  expect(server.logged.length).toBeGreaterThan(0);
  const log = server.logged.join('\n');
  for (const secret of [PASSWORD, 'a wrong secret', token, 'scrypt$', 'eyJ']) expect(log).not.toContain(secret);
});
