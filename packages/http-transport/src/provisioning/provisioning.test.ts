import { once } from 'node:events';
import type { Socket } from 'node:net';
import { aProfile, CERTIFICATE, trimmed } from '@tandem/core/testing';
import { TestGateway } from '../testing/test-gateway';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start({
    settings: {
      TANDEM_PROVISION_MAX_BYTES: '8192',
      TANDEM_PROVISION_MAX_FAILURES: '3',
      TANDEM_PROVISION_LOCK_TIME: '60000',
      TANDEM_TRUSTED_PROXIES: '127.0.0.0/8',
    },
  });
  for (const [key, provisionType] of [
    ['a', 'ALLOW_CREATE_NEW_DEVICES'],
    ['c', 'CHECK_PRE_PROVISIONED_DEVICES'],
  ] as const) {
    const profileData = `{"provisionConfiguration":{"type":"${provisionType}","provisionDeviceSecret":"s${key}"}}`;
    const given = { provisionType, provisionDeviceKey: `k${key}`, profileData, name: key, tenantId: gateway.tenantId };
    await gateway.core.state.devices.createProfile(aProfile(given));
  }
});
afterAll(() => gateway.stop());

let addresses = 0;
/** Each from another address, but for what `from` says. */
const post = (body: string, from = `192.0.2.${++addresses}`) =>
  gateway.send('POST', '/provision', { body, headers: { 'X-Forwarded-For': from } });
const KEYS = { provisionDeviceKey: 'ka', provisionDeviceSecret: 'sa' };
const ask = async (given: object, from?: string) => {
  const answer = await post(JSON.stringify({ ...KEYS, ...given }), from);
  return { ...answer, body: answer.text === '' ? undefined : JSON.parse(answer.text) };
};
const FAILURE = { errorMsg: 'Failed to provision device!', status: 'FAILURE' };
const NOT_FOUND = { errorMsg: 'Provision data was not found!', status: 'NOT_FOUND' };

describe('A device that asks for its credentials', () => {
  it('gets a token that works, once', async () => {
    const { status, headers, body } = await ask({ deviceName: 'n1' });
    const credentialsValue = expect.stringMatching(/^[A-Za-z0-9]{20}$/);
    expect(body).toEqual({ status: 'SUCCESS', credentialsType: 'ACCESS_TOKEN', credentialsValue });
    expect([status, headers['content-type']]).toEqual([200, 'application/json']);
    expect((await gateway.post(`/${body.credentialsValue}/telemetry`, '{"a":1}')).status).toBe(200);
    expect(await ask({ deviceName: 'n1' })).toMatchObject({ status: 200, body: FAILURE });
  });

  it('may write the JSON as a shell leaves it', async () => {
    const { text } = await post('{deviceName: lenient, provisionDeviceKey: ka, provisionDeviceSecret: sa, token: T1}');
    expect(JSON.parse(text)).toMatchObject({ status: 'SUCCESS', credentialsValue: 'T1' });
  });

  it('asks and is answered in protobuf where its Content-Type says so', async () => {
    const string = (field: number, text: string | Buffer) =>
      Buffer.concat([Buffer.from([(field << 3) | 2, text.length]), Buffer.from(text)]);
    const send = (name: string, key: string, type: string) => {
      const credentials = Buffer.concat([string(1, key), string(2, 'sa')]);
      const token = string(1, string(1, `token-${name}`));
      const body = Buffer.concat([string(1, name), string(3, credentials), string(4, token)]);
      const headers = { 'Content-Type': type, 'X-Forwarded-For': `192.0.2.${++addresses}` };
      return gateway.send('POST', '/provision', { body, headers });
    };
    const protobuf = 'application/x-protobuf';
    const made = await send('p1', 'ka', `${protobuf}; charset=utf-8`);
    expect([made.status, made.headers['content-type'], made.text]).toEqual([200, protobuf, '\b\u0001\u001a\btoken-p1']);
    expect((await gateway.post('/token-p1/telemetry', '{"a":1}')).status).toBe(200);
    expect(await send('p1', 'ka', protobuf)).toMatchObject({ status: 200, text: '\b\u0003' });
    expect(await send('p2', 'no', protobuf)).toMatchObject({ status: 200, text: '\b\u0002' });
    expect((await send('p3', 'ka', 'application/octet-stream')).status).toBe(400);
    const headers = { 'Content-Type': protobuf, 'X-Forwarded-For': `192.0.2.${++addresses}` };
    const json = JSON.stringify({ ...KEYS, deviceName: 'p4' });
    expect((await gateway.send('POST', '/provision', { body: json, headers })).status).toBe(400);
    expect((await gateway.send('POST', '/provision', { body: '', headers })).status).toBe(400);
  });

  it('gets what it brought for MQTT as an object, and does not get in with it', async () => {
    const mqtt = { credentialsType: 'MQTT_BASIC', clientId: 'c', username: 'u', password: 'p' };
    expect((await ask({ deviceName: 'n6', ...mqtt })).body).toEqual({
      status: 'SUCCESS',
      credentialsType: 'MQTT_BASIC',
      credentialsValue: { clientId: 'c', userName: 'u', password: 'p' },
    });
    expect((await gateway.post('/u/telemetry', '{"a":1}')).status).toBe(401);
  });

  it('gets its certificate in one line', async () => {
    const { body } = await ask({ deviceName: 'n9', credentialsType: 'X509_CERTIFICATE', hash: CERTIFICATE });
    const credentialsValue = trimmed(CERTIFICATE);
    expect(body).toEqual({ status: 'SUCCESS', credentialsType: 'X509_CERTIFICATE', credentialsValue });
  });

  it('of another door gets no value', async () => {
    const { body } = await ask({ deviceName: 'lwm2m', credentialsType: 'LWM2M_CREDENTIALS' });
    expect(body).toEqual({ status: 'SUCCESS', credentialsType: 'LWM2M_CREDENTIALS' });
  });

  it('that was made before is told its token, once', async () => {
    await gateway.core.devices.create(gateway.tenantId, { name: 'pre1', type: 'c' }, { credentialsId: 'pretok' });
    const pre = { deviceName: 'pre1', provisionDeviceKey: 'kc', provisionDeviceSecret: 'sc' };
    expect((await ask({ ...pre, provisionDeviceSecret: 'wrong' })).body).toEqual(NOT_FOUND);
    const told = { status: 'SUCCESS', credentialsType: 'ACCESS_TOKEN', credentialsValue: 'pretok' };
    expect((await ask({ ...pre, token: 'mine' })).body).toEqual(told);
    expect((await ask(pre)).body).toEqual(FAILURE);
  });
});

describe('A provisioning request', () => {
  it.each([
    ['of no JSON', '{bad', 'Not JSON'],
    ['of a list', '[]', 'is a JSON object'],
    ['of a number', '5', 'is a JSON object'],
    ['of white space', ' ', 'is a JSON object'],
    ['without a key', '{"provisionDeviceSecret":"hush"}', '`provisionDeviceKey` is missing'],
    ['without a secret', '{"provisionDeviceKey":"hush"}', '`provisionDeviceSecret` is missing'],
    [
      'with null',
      '{"provisionDeviceKey":"hush","provisionDeviceSecret":null}',
      '`provisionDeviceSecret` is not a string',
    ],
    ['with a name of null', JSON.stringify({ ...KEYS, deviceName: null }), '`deviceName` is not a string'],
    ['with an object', JSON.stringify({ ...KEYS, token: { hush: 1 } }), '`token` is not a string'],
    ['with a list', JSON.stringify({ ...KEYS, hash: ['hush'] }), '`hash` is not a string'],
    [
      'of another type',
      JSON.stringify({ ...KEYS, credentialsType: 'HUSH' }),
      '`credentialsType` is none of ACCESS_TOKEN',
    ],
    [
      'of a type in lower case',
      JSON.stringify({ ...KEYS, credentialsType: 'access_token' }),
      '`credentialsType` is none',
    ],
    ['of half a gateway', JSON.stringify({ ...KEYS, gateway: 'hush' }), '`gateway` is not a boolean'],
  ])('%s is 400, names the member and repeats nothing', async (_what, body, message) => {
    const { status, text } = await post(body);
    expect([status, JSON.parse(text)]).toEqual([
      400,
      { status: 400, errorCode: 31, message: expect.stringContaining(message), timestamp: expect.any(Number) },
    ]);
    expect(text).not.toMatch(/hush/i);
  });

  it('with numbers for texts is read as their text', async () => {
    const { body } = await ask({ deviceName: 12, token: 345 });
    expect(body).toMatchObject({ status: 'SUCCESS', credentialsValue: '345' });
    expect(await gateway.core.devices.find(gateway.tenantId, '12')).toBeDefined();
  });

  it('without a body is 400, with another method 405, behind a token 404', async () => {
    expect((await gateway.post('/provision')).status).toBe(400);
    expect((await gateway.send('POST', '/provision', { headers: { 'Transfer-Encoding': 'chunked' } })).status).toBe(
      400,
    );
    const get = await gateway.get('/provision');
    expect([get.status, get.headers.allow]).toEqual([405, 'POST']);
    expect((await gateway.post('/tok1/provision', '{}')).status).toBe(404);
  });

  it('is bounded far below the bodies of devices, announced or not', async () => {
    const body = JSON.stringify({ ...KEYS, deviceName: 'x'.repeat(8_192) });
    const announced = await gateway.post('/provision', body);
    const refusal = '"Payload size exceeds the limit of 8192 bytes"';
    expect([announced.status, announced.text]).toEqual([413, refusal]);
    const socket = gateway.connect();
    const head = 'POST /api/v1/provision HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';
    socket.write(`${head}2001\r\n${'x'.repeat(0x2001)}\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    expect(answer.toString()).toMatch(/^HTTP\/1.1 413 /);
    expect(answer.toString()).toContain(refusal);
    const token = (await gateway.device()).token;
    expect((await gateway.post(`/${token}/telemetry`, `{"a":"${'x'.repeat(8_192)}"}`)).status).toBe(200);
  });

  it('of an address that tries keys is 429 with the time to come again, and no other', async () => {
    const guess = { provisionDeviceKey: 'guessed' };
    for (let n = 0; n < 3; n++) expect((await ask(guess, '2001:db8::1')).body).toEqual(NOT_FOUND);
    const { status, headers, body } = await ask({ deviceName: 'kept out' }, '2001:db8::2');
    expect([status, headers['retry-after'], body.errorCode]).toEqual([429, '60', 33]);
    expect((await ask({ deviceName: 'let in' }, '2001:db8:0:1::1')).body).toMatchObject({ status: 'SUCCESS' });
    expect(await gateway.core.devices.find(gateway.tenantId, 'kept out')).toBeUndefined();
  });

  it('may be sent to its path as any client writes it', async () => {
    const body = JSON.stringify({ ...KEYS, deviceName: 'encoded' });
    expect((await gateway.post('/%70rovision', body)).text).toContain('SUCCESS');
    const big = JSON.stringify({ ...KEYS, deviceName: 'x'.repeat(8_192) });
    expect((await gateway.post('/provisio%6E', big)).status).toBe(413);
    const { token } = await gateway.device();
    expect((await gateway.post(`/${token}/%74elemetr%79`, '{"a":1}')).status).toBe(200);
    expect((await gateway.get(`/${token}/attributes%2Fupdates?timeout=1`)).status).toBe(404);
    expect((await gateway.post(`/${token}/telemetr%`, '{"a":1}')).status).toBe(404);
  });

  it('of a client that has gone makes no device', async () => {
    const body = JSON.stringify({ ...KEYS, deviceName: 'gone' });
    const { devices } = gateway.core.state;
    const find = devices.findProfileByProvisionKey.bind(devices);
    const connected = once(gateway.server, 'connection') as Promise<[Socket]>;
    const socket = gateway.connect();
    const [served] = await connected;
    // While the key is looked for the client goes.
    const looked = new Promise<void>((resolve) => {
      devices.findProfileByProvisionKey = async (key) => {
        const ended = once(served, 'end');
        socket.destroy();
        await ended;
        resolve();
        return find(key);
      };
    });
    const head = `POST /api/v1/provision HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`;
    socket.write(head + body);
    await looked;
    devices.findProfileByProvisionKey = find;
    expect((await ask({ deviceName: 'gone' })).body).toMatchObject({ status: 'SUCCESS' });
  });

  it('leaves nothing secret in the log', () => {
    expect(gateway.log.join('\n')).not.toMatch(/hush|guessed|"ka"|"sa"|pretok/);
  });
});
