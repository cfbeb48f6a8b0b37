import { request } from 'node:http';
import { ServerUnderTest } from './testing/server-under-test';

let server: ServerUnderTest;
let token: string;
let deviceId: string;
beforeAll(async () => {
  server = await ServerUnderTest.start({
    HTTP_MAX_PAYLOAD_SIZE_LIMIT_CONFIGURATION: '/api/plugins/**=1000;/api/**=2000',
  });
  token = (await server.login()).token;
  deviceId = await server.createDevice(token, 'framework');
});
afterAll(() => server.stop());

const NIL = '00000000-0000-4000-8000-000000000000';

describe('a stranger', () => {
  it.each([
    ['GET', '/api'],
    ['GET', '/api/no/such/path'],
    ['PATCH', '/api/device'],
    ['GET', '/api/device/not-a-uuid'],
    ['GET', '/api/device/%zz'],
    ['POST', '/api/plugins/telemetry/DEVICE/x/NO_SCOPE'],
    ['POST', '/api/rpc/twoway/x'],
  ])('gets 401 for %s %s', async (method, path) => {
    const answer = await server.call(method, path);
    expect(answer.status).toBe(401);
    expect(answer.json()).toEqual({
      status: 401,
      message: 'Authentication failed',
      errorCode: 10,
      timestamp: server.clock.now(),
    });
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });

  it('is answered before the body has come', async () => {
    const status = await new Promise((resolve, reject) => {
      const call = request(
        { port: server.port, method: 'POST', path: '/api/device', headers: { 'Content-Length': 1_000_000_000 } },
        (response) => {
          resolve(response.statusCode);
          call.destroy();
        },
      );
      call.on('error', reject);
      call.flushHeaders();
    });
    expect(status).toBe(401);
  });
});

it('a fault of the gateway is 500 with the id of the one line in the log', async () => {
  const fault = jest.spyOn(server.core.state.devices, 'getDevice').mockRejectedValue(new Error('disk on fire'));
  const answer = await server.call('GET', `/api/device/${deviceId}`, { token });
  fault.mockRestore();
  const id = String(answer.headers.get('x-correlation-id'));
  expect(id).toMatch(/^[0-9a-f]{12}$/);
  expect(answer.json()).toEqual({
    status: 500,
    message: `Internal server error (correlation id ${id})`,
    errorCode: 2,
    timestamp: server.clock.now(),
  });
  const lines = server.logged.filter((line) => line.includes(id));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('disk on fire');
  expect(lines[0]).not.toContain(token);
});

describe('paths', () => {
  it.each(['/', '/device', '/api/v1/some-token/attributes', '/api/v1', '/apis'])(
    '%s is not for the server API',
    async (path) => {
      expect((await server.call('GET', path, { token })).text).toBe('passed on');
    },
  );

  it.each(['/api', '/api/', '/api/nothing', '/api/device/', '/api/Device', '/api/noauth/x', '/api/ws', '/api/v11'])(
    '%s is unknown',
    async (path) => {
      const answer = await server.call('GET', path, { token });
      expect(answer.status).toBe(404);
      expect(answer.json()).toEqual({
        status: 404,
        message: "Requested item wasn't found!",
        errorCode: 32,
        timestamp: server.clock.now(),
      });
    },
  );

  it.each([
    ['DELETE', '/api/device', 'POST'],
    ['PUT', `/api/device/${NIL}`, 'GET, DELETE'],
    ['PATCH', '/api/device/credentials', 'POST, GET, DELETE'],
    ['PUT', '/api/rpc/oneway/x', 'POST'],
    ['POST', '/api/tenant/devices', 'GET, DELETE'],
  ])('%s %s gets 405 and is told what is allowed', async (method, path, allow) => {
    const answer = await server.call(method, path, { token });
    expect(answer.status).toBe(405);
    expect(answer.json()).toMatchObject({ status: 405, errorCode: 31, message: expect.stringContaining(method) });
    const allowed = (answer.headers.get('allow') ?? '').split(', ').sort();
    expect(allowed).toEqual(allow.split(', ').sort());
  });
});

describe('a body', () => {
  const large = JSON.stringify({ name: 'x', additionalInfo: { text: 'x'.repeat(2000) } });

  it('above the limit of its path gets 413', async () => {
    const answer = await server.call('POST', '/api/device', { token, body: large });
    expect(answer.status).toBe(413);
    expect(answer.json()).toMatchObject({
      status: 413,
      errorCode: 31,
      message: expect.stringContaining('Payload size exceeds the limit'),
    });
  });

  it('is counted as it comes when it names no length', async () => {
    const status = await new Promise((resolve, reject) => {
      const headers = { 'X-Authorization': `Bearer ${token}`, 'Transfer-Encoding': 'chunked' };
      const call = request({ port: server.port, method: 'POST', path: '/api/device', headers }, (response) => {
        resolve(response.statusCode);
        call.destroy();
      });
      call.on('error', reject);
      call.write('{"name":"x","label":"');
      call.write('y'.repeat(3000));
    });
    expect(status).toBe(413);
  });

  it('has the limit of the first pattern that fits', async () => {
    const path = `/api/plugins/telemetry/DEVICE/${deviceId}/SHARED_SCOPE`;
    const body = (length: number) => ({ key: 'x'.repeat(length) });
    expect((await server.call('POST', path, { token, body: body(900) })).status).toBe(200);
    expect((await server.call('POST', path, { token, body: body(1100) })).status).toBe(413);
  });

  it.each([
    ['is missing', '', 'Required request body is missing'],
    ['is not JSON', '{"name":', 'The request body is not JSON'],
    ['is lenient JSON, which only devices may send', '{name:x}', 'The request body is not JSON'],
    ['has no name', '{}', "body must have required property 'name'"],
    ['is an array', '[]', 'body must be object'],
    ['has a name that is no string', '{"name":1}', 'body.name must be string'],
    ['has a blank name', '{"name":" "}', 'Device name should be specified!'],
    ['has a long name', `{"name":"${'n'.repeat(256)}"}`, 'body.name must NOT have more than 255 characters'],
    ['refers by a bad id', '{"name":"a","deviceProfileId":{"id":"1"}}', 'body.deviceProfileId.id must be a UUID'],
    [
      'refers to another kind of entity',
      `{"name":"a","deviceProfileId":{"entityType":"DEVICE","id":"${NIL}"}}`,
      'body.deviceProfileId.entityType must be one of DEVICE_PROFILE',
    ],
    ['has additionalInfo that is no object', '{"name":"a","additionalInfo":3}', 'body.additionalInfo must be object'],
    [
      'names an unknown profile',
      `{"name":"a","deviceProfileId":{"id":"${NIL}"}}`,
      'Device is referencing non existing',
    ],
    ['names a customer', `{"name":"a","customerId":{"id":"${NIL}"}}`, "Can't assign device to non-existent customer!"],
    ['names a firmware', `{"name":"a","firmwareId":{"id":"${NIL}"}}`, "Can't assign non-existent firmware!"],
    [
      'is nested beyond all measure',
      `{"name":"a","additionalInfo":{"x":${'['.repeat(300)}${']'.repeat(300)}}}`,
      'The request body is not JSON',
    ],
    ['holds a NUL', '{"name":"a\\u0000"}', 'body.name must be well-formed Unicode without the character U+0000'],
    [
      'holds half a surrogate pair',
      '{"name":"a\\ud800"}',
      'body.name must be well-formed Unicode without the character U+0000',
    ],
  ])('of a device that %s gets 400 saying so', async (_case, body, message) => {
    const answer = await server.call('POST', '/api/device', { token, body });
    expect(answer.status).toBe(400);
    expect(Object.keys(answer.json())).toEqual(['status', 'message', 'errorCode', 'timestamp']);
    expect(answer.json()).toMatchObject({ status: 400, errorCode: 31, message: expect.stringContaining(message) });
  });

  it('of invalid UTF-8 is no JSON', async () => {
    const response = await fetch(`http://127.0.0.1:${server.port}/api/device`, {
      method: 'POST',
      headers: { 'X-Authorization': `Bearer ${token}` },
      body: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
    });
    expect(response.status).toBe(400);
  });

  it.each([
    [{ 'Content-Type': 'text/plain' }, 415],
    [{ 'Content-Type': 'application/json; charset=utf-8' }, 200],
    [{ 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' }, 415],
  ])('with the headers %j gets %i', async (headers, status) => {
    const answer = await server.call('POST', '/api/device', { token, body: { name: 'media type' }, headers });
    expect(answer.status).toBe(status);
  });
});

it.each([
  ['GET', '/api/device/1-2-3-4-5'],
  ['GET', '/api/device/%00'],
  ['GET', '/api/device/%zz'],
  ['GET', '/api/device/x/credentials'],
  ['GET', '/api/deviceProfile/x'],
  ['GET', '/api/rpc/persistent/x'],
  ['POST', '/api/rpc/oneway/x'],
  ['GET', '/api/plugins/telemetry/DEVICE/x/keys/timeseries'],
  ['GET', `/api/plugins/telemetry/ASSET/${NIL}/keys/timeseries`],
  ['POST', `/api/plugins/telemetry/${NIL}/OTHER_SCOPE`],
])('%s %s gets 400 for the malformed part of the path', async (method, path) => {
  const answer = await server.call(method, path, { token, body: method === 'POST' ? '{"method":"m"}' : undefined });
  expect(answer.status).toBe(400);
  expect(answer.json()).toMatchObject({ status: 400, errorCode: 31 });
});

it.each([
  ['', "'pageSize' is not present"],
  ['?pageSize=10', "'page' is not present"],
  ['?pageSize=&page=0', "Parameter 'pageSize' can't be empty!"],
  ['?pageSize=0&page=0', "'pageSize' must be a whole number"],
  ['?pageSize=ten&page=0', "'pageSize' must be a whole number"],
  ['?pageSize=1&page=-1', "'page' must be a whole number"],
  ['?pageSize=1&page=0&sortOrder=UP', "'sortOrder' must be one of ASC, DESC"],
  ['?pageSize=1&page=0&sortProperty=passwordHash', "'sortProperty' must be one of"],
])('a page asked for with "%s" gets 400', async (query, message) => {
  for (const path of ['/api/tenant/devices', '/api/deviceProfiles', `/api/rpc/persistent/device/${deviceId}`]) {
    const answer = await server.call('GET', `${path}${query}`, { token });
    expect(answer.json()).toMatchObject({ status: 400, errorCode: 31, message: expect.stringContaining(message) });
  }
});
