import { type Answer, TestGateway } from './testing/test-gateway';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start();
});
afterAll(() => gateway.stop());

const OBJECT = '{"a":1}';

function expectEmpty(answer: Answer, status: number): void {
  expect(answer).toMatchObject({ status, text: '', headers: { 'content-length': '0' } });
  expect(answer.headers['content-type']).toBeUndefined();
}

function expectErrorJson(answer: Answer, status: number, errorCode: number): void {
  expect(answer.status).toBe(status);
  expect(answer.headers['content-type']).toBe('application/json');
  expect(JSON.parse(answer.text)).toEqual({
    status,
    message: expect.any(String),
    errorCode,
    timestamp: expect.any(Number),
  });
}

describe('telemetry is taken whatever its Content-Type says', () => {
  it.each([
    ['TV-001', 'application/json'],
    ['TV-002', undefined],
    ['TV-003', 'text/plain'],
    ['TV-004', 'application/x-www-form-urlencoded'],
  ])('%s: %s', async (_vector, type) => {
    const device = await gateway.device();
    const before = Date.now();
    const answer = await gateway.send('POST', `/${device.token}/telemetry`, {
      body: OBJECT,
      headers: type ? { 'Content-Type': type } : {},
    });
    expectEmpty(answer, 200);
    const { a } = await gateway.stored(device);
    expect(a?.value).toBe('1');
    expect(a?.ts).toBeGreaterThanOrEqual(before);
    expect(a?.ts).toBeLessThanOrEqual(Date.now());
  });
});

describe('who is not known is refused before what it says is read', () => {
  it.each([
    ['TV-005', '/nope/telemetry', OBJECT],
    ['TV-006', '/nope/telemetry', '{bad'],
    ['TV-009', '/TOK1/telemetry', OBJECT],
    ['empty token', '//telemetry', OBJECT],
  ])('%s: POST %s %s is 401 without a body', async (_vector, path, body) => {
    await gateway.device('tok1').catch(() => undefined);
    expectEmpty(await gateway.post(path, body), 401);
  });
});

it('TV-010: a device with another type of credentials cannot use HTTP', async () => {
  const { core, tenantId } = gateway;
  const { id } = await gateway.device('stands for itself');
  const device = await core.devices.get(tenantId, id);
  const mqtt = { ...device, id: core.random.uuid(), name: 'DM' };
  const created = await core.state.devices.createDevice(mqtt, {
    id: core.random.uuid(),
    createdTime: 0,
    deviceId: mqtt.id,
    credentialsType: 'MQTT_BASIC',
    credentialsId: 'mqttuser',
    credentialsValue: null,
    version: 1,
  });
  expect(created.ok).toBe(true);
  expectEmpty(await gateway.post('/mqttuser/telemetry', OBJECT), 401);
});

describe('a required body that is missing is 400 even for a stranger', () => {
  it.each([
    ['TV-007', '/nope/telemetry'],
    ['TV-008', '/{token}/telemetry'],
    ['attributes', '/{token}/attributes'],
    ['RPC reply', '/{token}/rpc/0'],
    ['client RPC', '/{token}/rpc'],
  ])('%s: POST %s', async (_vector, path) => {
    const { token } = await gateway.device();
    expectErrorJson(await gateway.post(path.replace('{token}', token)), 400, 31);
    expectErrorJson(await gateway.post(path.replace('{token}', token), ''), 400, 31);
  });

  it('also when an empty body comes in chunks', async () => {
    const { token } = await gateway.device();
    const answer = await gateway.send('POST', `/${token}/telemetry`, { headers: { 'Transfer-Encoding': 'chunked' } });
    expectErrorJson(answer, 400, 31);
  });
});

describe('paths and methods', () => {
  it.each([
    ['TV-011', 'GET', '/{token}/nothing'],
    ['trailing slash', 'POST', '/{token}/telemetry/'],
    ['token alone', 'GET', '/{token}'],
    ['base path', 'GET', '/'],
    ['a resource of nobody behind a token', 'POST', '/{token}/provision'],
  ])('%s: %s %s is 404, and the answer does not repeat the token (TV-020)', async (_vector, method, path) => {
    const { token } = await gateway.device();
    const answer = await gateway.send(method, path.replace('{token}', token), {
      body: method === 'POST' ? OBJECT : undefined,
    });
    expectErrorJson(answer, 404, 32);
    expect(answer.text).not.toContain(token);
  });

  it.each([
    ['TV-012', 'PUT', '/{token}/telemetry', 'POST'],
    ['TV-013', 'GET', '/{token}/telemetry', 'POST'],
    ['TV-014', 'DELETE', '/{token}/attributes', 'GET, HEAD, POST'],
    ['TV-015', 'POST', '/{token}/attributes/updates', 'GET'],
    ['a poll must not be opened by HEAD', 'HEAD', '/{token}/attributes/updates', 'GET'],
    ['a poll must not be opened by HEAD', 'HEAD', '/{token}/rpc', 'GET, POST'],
    ['strangers too', 'GET', '/nope/telemetry', 'POST'],
  ])('%s: %s %s is 405 with Allow', async (_vector, method, path, allow) => {
    const { token } = await gateway.device();
    const answer = await gateway.send(method, path.replace('{token}', token), {
      body: method === 'PUT' || method === 'POST' ? OBJECT : undefined,
    });
    expect(answer.headers.allow).toBe(allow);
    if (method === 'HEAD') expect(answer).toMatchObject({ status: 405, text: '' });
    else expectErrorJson(answer, 405, 31);
  });

  it.each([
    ['TV-016', 'GET', '/{token}/rpc?timeout=abc'],
    ['TV-017', 'GET', '/{token}/attributes/updates?timeout=1.5'],
    ['TV-018', 'POST', '/{token}/rpc/abc'],
    ['TV-019', 'POST', '/{token}/rpc/2147483648'],
    ['broken percent-encoding', 'POST', '/%zz/telemetry'],
    ['percent-encoding that is not UTF-8', 'POST', '/%ff/telemetry'],
    ['before the token', 'GET', '/nope/rpc?timeout=abc'],
  ])('%s: %s %s is 400', async (_vector, method, path) => {
    const { token } = await gateway.device();
    const answer = await gateway.send(method, path.replace('{token}', token), {
      body: method === 'POST' ? '{}' : undefined,
    });
    expectErrorJson(answer, 400, 31);
  });

  it('passes on what is not under /api/v1', async () => {
    const answer = await gateway.send('GET', '0/token/telemetry');
    expect(answer).toMatchObject({ status: 404, text: 'passed on' });
  });

  it('reads a token that is percent-encoded in the path', async () => {
    const device = await gateway.device('a/b c%');
    expectEmpty(await gateway.post('/a%2Fb%20c%25/telemetry', OBJECT), 200);
    expect((await gateway.stored(device)).a?.value).toBe('1');
  });

  it('answers HEAD on attributes as GET without the body', async () => {
    const { token } = await gateway.device();
    expect(await gateway.send('HEAD', `/${token}/attributes`)).toMatchObject({
      status: 200,
      text: '',
      headers: { 'content-type': 'application/json', 'content-length': '2' },
    });
  });
});

describe('a web page may call from any origin', () => {
  it.each([
    [200, 'POST', '/{token}/telemetry'],
    [401, 'POST', '/nope/telemetry'],
    [404, 'POST', '/{token}/nothing'],
    [200, 'GET', '/{token}/attributes'],
  ])('TV-021: %d to %s %s', async (status, method, path) => {
    const { token } = await gateway.device();
    const options = { body: method === 'POST' ? OBJECT : undefined };
    const answer = await gateway.send(method, path.replace('{token}', token), {
      ...options,
      headers: { Origin: 'https://page.example' },
    });
    expect(answer.status).toBe(status);
    expect(answer.headers['access-control-allow-origin']).toBe('*');
    const without = await gateway.send(method, path.replace('{token}', token), options);
    expect(without.headers['access-control-allow-origin']).toBeUndefined();
  });

  it('TV-021: the preflight allows the method and the headers that are asked for', async () => {
    const answer = await gateway.send('OPTIONS', '/telemetry', {
      headers: {
        Origin: 'https://page.example',
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'authorization,content-type',
      },
    });
    expect(answer).toMatchObject({
      status: 204,
      headers: {
        'access-control-allow-origin': '*',
        'access-control-allow-methods': 'POST',
        'access-control-allow-headers': 'authorization,content-type',
      },
    });
  });
});

describe('the body limit comes first', () => {
  const tooLarge = (limit: number) => ({
    status: 413,
    text: `"Payload size exceeds the limit of ${limit} bytes"`,
    headers: { 'content-type': 'application/json' },
  });

  it.each([
    ['TV-024', '/{token}/rpc', 65_537, 65_536],
    ['TV-026', '/nope/rpc/1', 65_537, 65_536],
    ['path without token', '/rpc/1', 65_537, 65_536],
    ['unknown path', '/{token}/nothing', 52_428_801, 52_428_800],
  ])('%s: POST %s with %d bytes is 413', async (_vector, path, bytes, limit) => {
    const { token } = await gateway.device();
    const body = bytes > 1e6 ? undefined : Buffer.alloc(bytes, 0x20);
    const answer = await gateway.send('POST', path.replace('{token}', token), {
      body,
      headers: { 'Content-Length': bytes, ...(body ? {} : { Expect: '100-continue' }) },
    });
    expect(answer).toMatchObject(tooLarge(limit));
    expect(answer.headers.connection).toBe('close');
  });

  it('TV-027: 52428801 bytes of telemetry are refused by their announcement', async () => {
    const { token } = await gateway.device();
    const answer = await gateway.send('POST', `/${token}/telemetry`, {
      headers: { 'Content-Length': 52_428_801, Expect: '100-continue' },
    });
    expect(answer).toMatchObject(tooLarge(52_428_800));
  });

  it('TV-025: exactly 65536 bytes are a reply', async () => {
    const { token } = await gateway.device();
    expectEmpty(await gateway.post(`/${token}/rpc/1`, Buffer.alloc(65_536, 0x61)), 200);
  });

  it('TV-028: 70000 bytes of telemetry are stored', async () => {
    const device = await gateway.device();
    const text = 'x'.repeat(70_000 - '{"a":""}'.length);
    expectEmpty(await gateway.post(`/${device.token}/telemetry`, JSON.stringify({ a: text })), 200);
    expect((await gateway.stored(device)).a?.value).toBe(`"${text}"`);
  });
});

describe('a device of any profile may use HTTP, and speaks JSON there', () => {
  it.each([
    ['TV-022', 'LWM2M'],
    ['TV-023', 'COAP'],
  ] as const)('%s: %s', async (_vector, transportType) => {
    const { core, tenantId } = gateway;
    const profile = await core.profiles.default(tenantId);
    const created = await core.state.devices.createProfile({
      ...profile,
      profileData: '{}',
      id: core.random.uuid(),
      name: transportType,
      isDefault: false,
      transportType,
    });
    if (!created.ok) throw new Error(created.conflict);
    const token = `of-${transportType}`;
    const { id } = await core.devices.create(
      tenantId,
      { name: token, deviceProfileId: created.value.id },
      { credentialsId: token },
    );
    expectEmpty(await gateway.post(`/${token}/telemetry`, OBJECT), 200);
    expect((await gateway.stored({ token, id })).a?.value).toBe('1');
  });
});

describe('the token may come in a header', () => {
  it('Authorization: Bearer stands for the token segment', async () => {
    const device = await gateway.device();
    const headers = { Authorization: `Bearer ${device.token}` };
    expectEmpty(await gateway.send('POST', '/telemetry', { body: OBJECT, headers }), 200);
    expectEmpty(await gateway.send('POST', '/attributes', { body: OBJECT, headers }), 200);
    expectEmpty(await gateway.send('POST', '/rpc/7', { body: OBJECT, headers }), 200);
    expect((await gateway.send('GET', '/attributes', { headers })).text).toBe('{"client":{"a":1}}');
    expectEmpty(await gateway.send('GET', '/rpc?timeout=-1', { headers }), 408);
    expectEmpty(await gateway.send('GET', '/attributes/updates?timeout=-1', { headers }), 408);
  });

  it('X-Authorization is ignored', async () => {
    const { token } = await gateway.device();
    const headers = { 'X-Authorization': `Bearer ${token}` };
    expectEmpty(await gateway.send('POST', '/telemetry', { body: OBJECT, headers }), 401);
  });

  it('a header does not stand in for an unknown token in the path', async () => {
    const { token } = await gateway.device();
    const headers = { Authorization: `Bearer ${token}` };
    expectEmpty(await gateway.send('POST', '/nope/telemetry', { body: OBJECT, headers }), 401);
  });

  it('nor an unknown token in a header for the one in the path', async () => {
    const { token } = await gateway.device();
    const headers = { Authorization: 'Bearer nope' };
    expectEmpty(await gateway.send('POST', `/${token}/telemetry`, { body: OBJECT, headers }), 200);
  });

  it.each([
    ['the scheme in lower case', (token: string) => `bearer ${token}`],
    ['the scheme in upper case', (token: string) => `BEARER ${token}`],
    ['several spaces', (token: string) => `Bearer    ${token}`],
    ['spaces around it', (token: string) => `  Bearer ${token}   `],
    ['the first of two headers', (token: string) => [`Bearer ${token}`, 'Bearer nope']],
  ])('%s makes no difference', async (_name, authorization) => {
    const { token } = await gateway.device();
    expect(await statusWith(authorization(token))).toBe(200);
  });

  it.each([
    ['is missing', () => ''],
    ['has nothing behind the scheme', () => 'Bearer'],
    ['has only spaces behind it', () => 'Bearer   '],
    ['has no space behind it', (token: string) => `Bearer${token}`],
    ['has no scheme', (token: string) => token],
    ['has another scheme', (token: string) => `Basic ${token}`],
    ['has something behind the token', (token: string) => `Bearer ${token} ${token}`],
    ['has a comma behind the token', (token: string) => `Bearer ${token},`],
    ['has the token in quotes', (token: string) => `Bearer "${token}"`],
    ['has the token percent-encoded', (token: string) => `Bearer %74${token.slice(1)}`],
    ['comes second', (token: string) => ['Bearer nope', `Bearer ${token}`]],
  ])('a header that %s is 401', async (_name, authorization) => {
    const { token } = await gateway.device();
    expect(await statusWith(authorization(token))).toBe(401);
  });

  const statusWith = async (authorization: string | string[]): Promise<number> => {
    const socket = gateway.connect();
    const lines = [authorization].flat().map((value) => `Authorization: ${value}\r\n`);
    const head = `POST /api/v1/telemetry HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${lines.join('')}`;
    socket.end(`${head}Content-Length: ${OBJECT.length}\r\n\r\n${OBJECT}`);
    let text = '';
    for await (const chunk of socket) text += chunk;
    return Number(text.split(' ')[1]);
  };

  it('a token that is called like a resource is still a token', async () => {
    const device = await gateway.device('rpc');
    expectEmpty(await gateway.post('/rpc/telemetry', OBJECT), 200);
    expect((await gateway.stored(device)).a?.value).toBe('1');
  });
});

it('a compressed body is refused, not stored as it is', async () => {
  const device = await gateway.device();
  const headers = { 'Content-Encoding': 'gzip' };
  expectErrorJson(await gateway.send('POST', `/${device.token}/telemetry`, { body: OBJECT, headers }), 415, 31);
  expect(await gateway.stored(device)).toEqual({});
});

it('a token works from the moment it exists, and not after it was changed', async () => {
  expectEmpty(await gateway.post('/later/telemetry', OBJECT), 401);
  const { id } = await gateway.device('later');
  expectEmpty(await gateway.post('/later/telemetry', OBJECT), 200);
  await gateway.core.devices.updateCredentials(gateway.tenantId, id, {
    credentialsType: 'ACCESS_TOKEN',
    credentialsId: 'changed',
  });
  expectEmpty(await gateway.post('/later/telemetry', OBJECT), 401);
  expectEmpty(await gateway.post('/changed/telemetry', OBJECT), 200);
});
