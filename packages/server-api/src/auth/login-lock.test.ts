import type { CounterName } from '@tandem/core';
import { ADMIN, type Answer, PASSWORD, ServerUnderTest } from '../testing/server-under-test';

const FORWARDED = 'X-Forwarded-For';

describe('Who guesses passwords', () => {
  let server: ServerUnderTest;
  beforeAll(async () => {
    server = await ServerUnderTest.start({
      TANDEM_LOGIN_MAX_FAILURES: '3',
      TANDEM_LOGIN_LOCK_TIME: '60000',
      TANDEM_LOGIN_ADDRESS_MAX_FAILURES: '4',
      TANDEM_LOGIN_ADDRESS_LOCK_TIME: '30000',
      TANDEM_TRUSTED_PROXIES: '127.0.0.0/8, 10.0.0.0/8',
      SECURITY_USER_TOKEN_ACCESS_ENABLED: 'false',
    });
  });
  afterAll(() => server.stop());
  afterEach(() => server.clock.advance(60_000));

  const login = (username: string, password: string, from: string): Promise<Answer> =>
    server.call('POST', '/api/auth/login', { body: { username, password }, headers: { [FORWARDED]: from } });
  const outcome = ({ status, json }: Answer) => [status, json<{ message: string }>().message];
  const WRONG = [401, 'Invalid username or password'];
  const LOCKED = [401, 'User account is locked due to security policy'];

  it.each([ADMIN, 'nobody@x.org'])(
    'finds %s locked for a time, and cannot tell whether there is such an account',
    async (email) => {
      for (const from of ['198.51.100.1', '198.51.100.2', '198.51.100.3']) {
        expect(outcome(await login(email, 'wrong', from))).toEqual(WRONG);
      }
      expect(outcome(await login(email.toUpperCase(), 'wrong', '198.51.100.4'))).toEqual(LOCKED);
      expect(outcome(await login(email, PASSWORD, '198.51.100.4'))).toEqual(LOCKED);
      server.clock.advance(60_000);
      expect((await login(email, PASSWORD, '198.51.100.4')).status).toBe(email === ADMIN ? 200 : 401);
    },
  );

  it('leaves those alone who are logged in already', async () => {
    const { token } = await server.login();
    for (let n = 0; n < 3; n++) await login(ADMIN, 'wrong', '198.51.100.9');
    expect(outcome(await login(ADMIN, PASSWORD, '198.51.100.8'))).toEqual(LOCKED);
    expect((await server.call('GET', '/api/auth/user', { token })).status).toBe(200);
  });

  it.each([
    ['198.51.100.20', '198.51.100.20', '198.51.100.21'],
    // What the caller made up stands before what the proxies have seen.
    ['6.6.6.6, 198.51.100.30, 10.1.1.1', '7.7.7.7, 198.51.100.30', '198.51.100.30, 198.51.100.31'],
    // Of IPv6 the whole network of one line.
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', '2001:db8:1:3::1'],
  ])('from %s is refused by address: also as %s, and not as %s', async (from, same, other) => {
    for (let n = 0; n < 4; n++) expect((await login(`${n}@x.org`, 'wrong', from)).status).toBe(401);
    const answer = await login(ADMIN, PASSWORD, same);
    expect(answer.json()).toMatchObject({
      status: 429,
      errorCode: 33,
      message: 'Too many failed logins from this address',
    });
    expect(answer.headers.get('retry-after')).toBe('30');
    expect((await login(ADMIN, PASSWORD, other)).status).toBe(200);
    server.clock.advance(30_000);
    expect((await login(ADMIN, PASSWORD, same)).status).toBe(200);
  });

  it('guesses as well who tries ids of public customers', async () => {
    const open = (from: string) =>
      server.call('POST', '/api/auth/login/public', {
        body: { publicId: '11111111-1111-4111-8111-111111111111' },
        headers: { [FORWARDED]: from },
      });
    for (let n = 0; n < 4; n++) expect((await open('198.51.100.50')).status).toBe(401);
    expect((await open('198.51.100.50')).headers.get('retry-after')).toBe('30');
    expect((await login(ADMIN, PASSWORD, '198.51.100.50')).status).toBe(429);
    expect((await open('198.51.100.51')).status).toBe(401);
  });

  it('guesses as well who changes a password without knowing it', async () => {
    const { token } = await server.login();
    const change = (currentPassword: string) =>
      server.call('POST', '/api/auth/changePassword', { token, body: { currentPassword, newPassword: 'another one' } });
    for (let n = 0; n < 3; n++) {
      expect(outcome(await change('wrong'))).toEqual([400, "Current password doesn't match!"]);
    }
    expect(outcome(await change(PASSWORD))).toEqual(LOCKED);
  });

  it('is said to the log without the password, and counted', async () => {
    await login(ADMIN, 'my secret guess', '198.51.100.40');
    expect(server.logged.join('\n')).not.toContain('my secret guess');
    const counted = (name: CounterName) => server.core.metrics.value(name) ?? 0;
    expect(counted('tandem_accounts_locked_total')).toBeGreaterThan(0);
    expect(counted('tandem_login_addresses_locked_total')).toBeGreaterThan(0);
    expect(counted('tandem_logins_locked_total')).toBeGreaterThan(0);
  });

  it('gets no tokens of others where the setting forbids it', async () => {
    const { token } = await server.login();
    const user = await server.addUser('below@x.org');
    expect((await server.call('GET', `/api/user/${user.id}/token`, { token })).status).toBe(403);
    const body = { userId: { entityType: 'USER', id: user.id }, description: 'd' };
    expect((await server.call('POST', '/api/apiKey', { token, body })).status).toBe(403);
    expect((await server.call('GET', '/api/user/tokenAccessEnabled', { token })).text).toBe('false');
  });
});

describe('A header of a stranger', () => {
  let server: ServerUnderTest;
  beforeAll(async () => {
    server = await ServerUnderTest.start({ TANDEM_LOGIN_ADDRESS_MAX_FAILURES: '2' });
  });
  afterAll(() => server.stop());

  it('says nothing about where he is', async () => {
    const attempt = (n: number) =>
      server.call('POST', '/api/auth/login', {
        body: { username: `${n}@x.org`, password: 'wrong' },
        headers: { [FORWARDED]: `198.51.100.${n}` },
      });
    expect([(await attempt(1)).status, (await attempt(2)).status, (await attempt(3)).status]).toEqual([401, 401, 429]);
  });
});

describe('Logging out', () => {
  let server: ServerUnderTest;
  beforeAll(async () => {
    server = await ServerUnderTest.start();
  });
  afterAll(() => server.stop());

  it('ends all tokens of the session, also those that were refreshed, and no other session', async () => {
    const [one, other] = [await server.login(), await server.login()];
    const refresh = (refreshToken: string) => server.call('POST', '/api/auth/token', { body: { refreshToken } });
    const fresh = (await refresh(one.refreshToken)).json<{ token: string; refreshToken: string }>();
    expect((await server.call('POST', '/api/auth/logout', { token: one.token })).status).toBe(200);
    for (const { token, refreshToken } of [one, fresh]) {
      expect((await server.call('GET', '/api/auth/user', { token })).json()).toMatchObject({
        status: 401,
        errorCode: 10,
      });
      expect((await refresh(refreshToken)).status).toBe(401);
    }
    expect((await server.call('GET', '/api/auth/user', { token: other.token })).status).toBe(200);
  });

  it('happens by itself to every other session when the password is changed', async () => {
    const [one, other] = [await server.login(), await server.login()];
    const body = { currentPassword: PASSWORD, newPassword: 'another one' };
    const changed = await server.call('POST', '/api/auth/changePassword', { token: one.token, body });
    for (const { token } of [one, other]) {
      expect((await server.call('GET', '/api/auth/user', { token })).status).toBe(401);
    }
    const { token } = changed.json<{ token: string }>();
    expect((await server.call('GET', '/api/auth/user', { token })).status).toBe(200);
  });
});
