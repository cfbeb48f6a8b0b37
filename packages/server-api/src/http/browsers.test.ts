import { ServerUnderTest } from '../testing/server-under-test';
import { WebSocketClient } from '../testing/web-socket-client';

let server: ServerUnderTest;
let token: string;
beforeAll(async () => {
  server = await ServerUnderTest.start();
  token = (await server.login()).token;
});
afterAll(() => server.stop());

const ORIGIN = 'https://dashboard.example';
const preflight = (path: string, headers: Record<string, string>) =>
  server.call('OPTIONS', path, { headers: { Origin: ORIGIN, ...headers } });

describe('A page of another origin', () => {
  it.each(['/api/auth/user', '/api/plugins/telemetry/DEVICE/x/SHARED_SCOPE', '/api/auth/login', '/api/no/such/path'])(
    'may ask without credentials whether it may call %s, with its credentials in a header',
    async (path) => {
      const answer = await preflight(path, {
        'Access-Control-Request-Method': 'DELETE',
        'Access-Control-Request-Headers': 'content-type,x-authorization',
      });
      expect([answer.status, answer.text]).toEqual([204, '']);
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'access-control-allow-origin': '*',
        'access-control-allow-methods': 'DELETE',
        'access-control-allow-headers': 'content-type,x-authorization',
        'access-control-max-age': '1800',
      });
    },
  );

  it.each([
    ['what it asked for', '/api/auth/user', () => token, 200],
    ['that it may not', '/api/auth/user', () => undefined, 401],
    ['that it is not there', '/api/no/such/path', () => token, 404],
  ])('may read %s', async (_what, path, ofCaller, status) => {
    const answer = await server.call('GET', path, { token: ofCaller(), headers: { Origin: ORIGIN } });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('access-control-expose-headers')).toBe('*');
  });

  it('is never told that what its browser sends by itself counts', async () => {
    for (const answer of [
      await preflight('/api/auth/user', { 'Access-Control-Request-Method': 'GET' }),
      await server.call('GET', '/api/auth/user', { token, headers: { Origin: ORIGIN } }),
    ]) {
      expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    }
    const cookie = `JWT-TOKEN=${token}; token=${token}; X-Authorization=Bearer ${token}`;
    const answer = await server.call('GET', '/api/auth/user', { headers: { Origin: ORIGIN, Cookie: cookie } });
    expect(answer.status).toBe(401);
  });

  it('may open a WebSocket, which is good for nothing without a token', async () => {
    const headers = { Origin: ORIGIN, Cookie: `JWT-TOKEN=${token}` };
    const client = await WebSocketClient.open(server.port, '/api/ws', false, undefined, headers);
    client.send({ cmds: [] });
    expect(await client.closed).toMatch(/^1\d\d\d /);
  });
});

it('An OPTIONS that is no question of a browser needs credentials, as every request does', async () => {
  expect((await server.call('OPTIONS', '/api/auth/user')).status).toBe(401);
});

it('A caller without an origin is told nothing about origins', async () => {
  const answer = await server.call('GET', '/api/auth/user', { token });
  expect(answer.headers.get('access-control-allow-origin')).toBeNull();
});

describe('Browsers and caches', () => {
  it('guess no media type of an answer and keep none: tokens, credentials, errors, data', async () => {
    const deviceId = await server.createDevice(token, 'kept by nobody');
    const body = { username: 'tenant@thingsboard.org', password: 'correct horse' };
    const answers = [
      await server.call('POST', '/api/auth/login', { body }),
      await server.call('POST', '/api/auth/login', { body: { ...body, password: 'wrong' } }),
      await server.call('POST', '/api/auth/token', { body: await server.login() }),
      await server.call('GET', `/api/device/${deviceId}/credentials`, { token }),
      await server.call('GET', '/api/auth/user', { token }),
      await server.call('GET', '/api/auth/user'),
      await server.call('GET', '/api/no/such/path', { token }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 401, 200, 200, 200, 401, 404]);
    for (const { headers } of answers) {
      expect([headers.get('cache-control'), headers.get('x-content-type-options')]).toEqual(['no-store', 'nosniff']);
    }
  });

  it.each(['/openapi/', '/openapi/page.js', '/openapi/page.css', '/openapi.json', '/openapi'])(
    'show %s in no frame, and load nothing into it from elsewhere',
    async (path) => {
      const { headers } = await server.call('GET', path);
      expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; .*frame-ancestors 'none'/);
      expect(Object.fromEntries(headers)).toMatchObject({
        'x-frame-options': 'DENY',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      });
    },
  );
});
