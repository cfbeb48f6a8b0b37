import type { ClientRpcBackend } from '@tandem/core';
import type { RawClient, RawRequest } from './testing/raw-client';
import { type TestDevice, TestGateway } from './testing/test-gateway';

/** The server logic of these tests. */
const backend: ClientRpcBackend = {
  call({ method, params }) {
    if (method === 'fail') return Promise.reject(new Error('boom'));
    if (method === 'silent') return new Promise(() => {});
    if (method === 'slow') return new Promise((resolve) => setTimeout(() => resolve('{"late":true}'), 300));
    return Promise.resolve(`{"method":"${method}","params":${params}}`);
  },
};

let gateway: TestGateway;
let client: RawClient;
/** D1 of the contract, new for each test. */
let device: TestDevice;
beforeAll(async () => {
  gateway = await TestGateway.start({
    settings: { COAP_PIGGYBACK_TIMEOUT: '100', CLIENT_SIDE_RPC_TIMEOUT: '600' },
    backend,
  });
});
afterAll(() => gateway.stop());
beforeEach(async () => {
  device = await gateway.device();
  client = await gateway.client();
});

/** `tok1` in a path stands for the token of D1. */
const ask = (method: string, path: string, payload = '', more: Partial<RawRequest> = {}) =>
  client.ask({ method, path: path.replace('tok1', device.token), payload, ...more });

const value = async (key: string) => (await gateway.stored(device))[key]?.value;

describe('telemetry and attributes', () => {
  it('TV-246: a telemetry post is stored and answered in the acknowledgement', async () => {
    const answer = await ask('POST', 'api/v1/tok1/telemetry', '{"a":1}', { messageId: 0x4711 });
    expect(answer).toMatchObject({ kind: 'ACK 2.01', messageId: 0x4711, text: '', format: undefined });
    expect(await value('a')).toBe('1');
  });

  it('TV-247: a NON post gets a NON answer', async () => {
    expect(await ask('POST', 'api/v1/tok1/telemetry', '{"a":1}', { confirmable: false })).toMatchObject({
      kind: 'NON 2.01',
      text: '',
    });
    expect(await value('a')).toBe('1');
  });

  it('TV-248: the name of a feature is case-free', async () => {
    expect(await ask('POST', 'api/v1/tok1/TELEMETRY', '{"a":1}')).toMatchObject({ kind: 'ACK 2.01' });
    expect(await value('a')).toBe('1');
  });

  it('TV-249: one option may hold the whole path', async () => {
    const path = [`api/v1/${device.token}/telemetry`];
    expect(await client.ask({ method: 'POST', path, payload: '{"a":1}' })).toMatchObject({ kind: 'ACK 2.01' });
    expect(await value('a')).toBe('1');
  });

  it('TV-260: the Content-Format of a request is not looked at', async () => {
    const answer = await ask('POST', 'api/v1/tok1/attributes', '{"a":1}', { contentFormat: 0 });
    expect(answer).toMatchObject({ kind: 'ACK 2.01', text: '' });
    expect(await gateway.clientAttributes(device)).toEqual({ a: '1' });
  });

  it('TV-273: 3000 bytes arrive in blocks', async () => {
    const payload = JSON.stringify({ a: 'x'.repeat(2992) });
    expect(payload).toHaveLength(3000);
    const path = `api/v1/${device.token}/telemetry`;
    const kinds: string[] = [];
    for (let number = 0; number < 3; number++) {
      const more = number < 2 ? 8 : 0;
      const block = payload.slice(number * 1024, (number + 1) * 1024);
      kinds.push((await client.ask({ method: 'POST', path, payload: block, block1: (number << 4) | more | 6 })).kind);
    }
    expect(kinds).toEqual(['ACK 2.31', 'ACK 2.31', 'ACK 2.01']);
    expect(await value('a')).toHaveLength(2994);
  });

  it('TV-274: a block that is missing is missed', async () => {
    const path = `api/v1/${device.token}/telemetry`;
    const payload = 'x'.repeat(1024);
    await client.ask({ method: 'POST', path, payload, block1: (0 << 4) | 8 | 6 });
    const answer = await client.ask({ method: 'POST', path, payload, block1: (2 << 4) | 8 | 6 });
    expect(answer).toMatchObject({ kind: 'ACK 4.08' });
  });

  it('TV-275: a repeated datagram is handled once and answered twice', async () => {
    const payload = '{"method":"count","params":{}}';
    const sent = client.send({ method: 'POST', path: `api/v1/${device.token}/rpc`, payload, messageId: 7 });
    const first = await client.next();
    const calls = gateway.core.metrics.value('tandem_coap_received_requests_total');
    client.sendRaw(sent);
    expect(await client.next()).toEqual(first);
    expect(client.datagrams[1]).toEqual(client.datagrams[0]);
    expect(gateway.gauge('tandem_coap_received_requests_total')).toBe(calls);
  });
});

describe('who and what is refused', () => {
  it.each([
    ['TV-250: an unknown token', 'POST', 'api/v1/nope/telemetry', '{"a":1}', 'ACK 4.01'],
    ['an unknown token before the payload is looked at', 'POST', 'api/v1/nope/telemetry', '{bad', 'ACK 4.01'],
    ['an empty token', 'POST', ['api', 'v1', '', 'telemetry'], '{"a":1}', 'ACK 4.01'],
    ['TV-251: an unknown feature', 'POST', 'api/v1/tok1/foo', '{}', 'ACK 4.00'],
    ['TV-252: an unknown feature before the token', 'POST', 'api/v1/nope/foo', '{}', 'ACK 4.00'],
    ['TV-253: no token and no certificate', 'POST', 'api/v1/telemetry', '{"a":1}', 'ACK 4.01'],
    ['a reply without token and certificate', 'POST', 'api/v1/rpc/5', '{}', 'ACK 4.01'],
    ['TV-254: a foreign path', 'POST', 'xyz', '', 'ACK 4.04'],
    ['TV-255: reading telemetry', 'GET', 'api/v1/tok1/telemetry', '', 'ACK 4.00'],
    ['TV-256: reading commands without Observe', 'GET', 'api/v1/tok1/rpc', '', 'ACK 4.00'],
    ['TV-257: PUT', 'PUT', 'api/v1/tok1/telemetry', '{"a":1}', 'ACK 4.05'],
    ['TV-258: DELETE', 'DELETE', 'api/v1/tok1/attributes', '', 'ACK 4.05'],
    ['FETCH', 'FETCH', 'api/v1/tok1/attributes', '', 'ACK 4.05'],
    ['PUT of an unknown feature', 'PUT', 'api/v1/tok1/foo', '', 'ACK 4.05'],
    ['TV-259: an empty payload of telemetry', 'POST', 'api/v1/tok1/telemetry', '', 'ACK 4.00'],
    ['an empty payload of attributes', 'POST', 'api/v1/tok1/attributes', '', 'ACK 4.00'],
    ['the root of the API to a GET', 'GET', 'api', '', 'ACK 4.05'],
    ['the root of the API to a POST', 'POST', 'api', '{}', 'ACK 4.00'],
    ['a path that is too short', 'GET', 'api/v1', '', 'ACK 4.00'],
    ['a path that is too short in one option', 'GET', ['api/v1'], '', 'ACK 4.00'],
    ['reading claims', 'GET', 'api/v1/tok1/claim', '', 'ACK 4.00'],
    ['reading provisioning', 'GET', 'api/v1/provision', '', 'ACK 4.00'],
    ['TV-243: a claim without a payload', 'POST', 'api/v1/tok1/claim', '', 'ACK 2.01'],
    ['TV-244: a claim', 'POST', 'api/v1/tok1/claim', '{"secretKey":"value","durationMs":60000}', 'ACK 2.01'],
    ['TV-245: a claim of a number', 'POST', 'api/v1/tok1/claim', '5', 'ACK 4.00'],
    ['a claim of nobody', 'POST', 'api/v1/nope/claim', '[1]', 'ACK 4.01'],
  ])('%s', async (_what, method, path, payload, kind) => {
    const options = typeof path === 'string' ? path.replace('tok1', device.token) : path;
    const answer = await client.ask({ method, path: options, payload });
    expect(answer).toMatchObject({ kind, text: '', format: undefined, observe: undefined });
    expect(await gateway.stored(device)).toEqual({});
  });

  it('TV-261: a device of a profile for another transport gets 5.00', async () => {
    const foreign = await gateway.device(await gateway.profile({ transportType: 'LWM2M' }));
    const path = `api/v1/${foreign.token}/telemetry`;
    // The second request takes the way through the credentials cache.
    for (let time = 0; time < 2; time++) {
      expect(await client.ask({ method: 'POST', path, payload: '{"a":1}' })).toMatchObject({
        kind: 'ACK 5.00',
        text: '',
      });
    }
    expect(await gateway.stored(foreign)).toEqual({});
  });

  it('an EFENTO device gets 4.00, another CoAP device is served (contract 2.2)', async () => {
    const post = async (coapDeviceType: 'DEFAULT' | 'EFENTO') => {
      const { token } = await gateway.device(await gateway.profile({ transportType: 'COAP', coapDeviceType }));
      return (await client.ask({ method: 'POST', path: `api/v1/${token}/telemetry`, payload: '{"a":1}' })).kind;
    };
    expect(await post('EFENTO')).toBe('ACK 4.00');
    expect(await post('DEFAULT')).toBe('ACK 2.01');
  });
});

describe('what is not under the API', () => {
  it('the root has a banner', async () => {
    expect(await ask('GET', '')).toMatchObject({ kind: 'ACK 2.05', text: 'Tandem' });
    expect(await ask('POST', '')).toMatchObject({ kind: 'ACK 4.05' });
  });

  it('the resources can be discovered', async () => {
    const answer = await ask('GET', '.well-known/core');
    expect(answer).toMatchObject({ kind: 'ACK 2.05', format: 40 });
    expect(answer.text).toMatch(/^<\/api\/v1>/);
  });
});

describe('reading attributes', () => {
  beforeEach(async () => {
    await ask('POST', 'api/v1/tok1/attributes', '{"attribute1":"value1","attribute3":42.0}');
    await gateway.share(device, { shared1: '"v"', shared2: '7' });
  });
  const get = (...query: string[]) => ask('GET', 'api/v1/tok1/attributes', '', { query });

  it('TV-262: without a query all of both scopes', async () => {
    const answer = await get();
    expect(answer).toMatchObject({ kind: 'ACK 2.05', format: 50, observe: undefined });
    expect(JSON.parse(answer.text)).toEqual({
      client: { attribute1: 'value1', attribute3: 42 },
      shared: { shared1: 'v', shared2: 7 },
    });
    expect(answer.text).toContain('42.0');
  });

  it.each([
    ['TV-263: one client key', ['clientKeys=attribute1'], { client: { attribute1: 'value1' } }],
    ['one shared key', ['sharedKeys=shared2,zzz'], { shared: { shared2: 7 } }],
    [
      'keys of both scopes',
      ['clientKeys=attribute1', 'sharedKeys=shared1'],
      { client: { attribute1: 'value1' }, shared: { shared1: 'v' } },
    ],
    [
      'TV-266: an option without value is ignored',
      ['clientKeys='],
      { client: { attribute1: 'value1', attribute3: 42 }, shared: { shared1: 'v', shared2: 7 } },
    ],
  ])('%s', async (_what, query, expected) => {
    const answer = await get(...query);
    expect(answer).toMatchObject({ kind: 'ACK 2.05', format: 50 });
    expect(JSON.parse(answer.text)).toEqual(expected);
  });

  it('TV-264: a key that is not there is 4.04', async () => {
    expect(await get('clientKeys=zzz')).toMatchObject({ kind: 'ACK 4.04', text: '', format: 50 });
  });

  it('TV-265: a device without attributes gets 4.04', async () => {
    const { token } = await gateway.device();
    expect(await client.ask({ path: `api/v1/${token}/attributes` })).toMatchObject({ kind: 'ACK 4.04', text: '' });
  });

  it('TV-299: Observe 1 with a token that observes nothing is a plain read', async () => {
    const answer = await ask('GET', 'api/v1/tok1/attributes', '', { observe: 1, query: ['sharedKeys=shared1'] });
    expect(answer).toMatchObject({ kind: 'ACK 2.05', observe: undefined, text: '{"shared":{"shared1":"v"}}' });
  });

  it.each(['its credentials change', 'it is deleted'])(
    'later blocks are not shown to a device any more when %s',
    async (what) => {
      const device = await gateway.device();
      const path = `api/v1/${device.token}/attributes`;
      for (const letter of 'ab') {
        const payload = `{"${letter}":"${letter.repeat(900)}"}`;
        expect((await client.ask({ method: 'POST', path, payload })).kind).toBe('ACK 2.01');
      }
      expect((await client.ask({ path })).kind).toBe('ACK 2.05');
      expect((await client.ask({ path, block2: (1 << 4) | 6 })).kind).toBe('ACK 2.05');
      if (what === 'it is deleted') await gateway.remove(device);
      else await gateway.changeToken(device, `new ${device.token}`);
      expect((await client.ask({ path, block2: (1 << 4) | 6 })).kind).toBe('ACK 4.01');
    },
  );

  it('an answer of more than a block comes in blocks', async () => {
    await gateway.share(device, { shared1: JSON.stringify('y'.repeat(1500)) });
    const answer = await get('sharedKeys=shared1');
    expect(answer).toMatchObject({ kind: 'ACK 2.05', format: 50 });
    expect(answer.text).toHaveLength(1024);
  });
});

describe('commands of the device', () => {
  const call = (payload: string) => ask('POST', 'api/v1/tok1/rpc', payload);

  it('TV-267: the reply is the answer', async () => {
    expect(await call('{"method":"turn","params":{"on":true}}')).toMatchObject({
      kind: 'ACK 2.05',
      format: 50,
      text: '{"method":"turn","params":{"on":true}}',
    });
  });

  it('TV-268: params may be left out, and getTime is answered by the gateway', async () => {
    const answer = await call('{"method":"getTime"}');
    expect(answer).toMatchObject({ kind: 'ACK 2.05', format: 50 });
    expect(Math.abs(Date.parse(JSON.parse(answer.text).time) - Date.now())).toBeLessThan(10_000);
    expect(await call('{"method":"turn"}')).toMatchObject({ text: '{"method":"turn","params":null}' });
  });

  it.each(['{"params":{}}', '[]', '5', '', '{"method":'])('TV-269: %j is 4.00', async (payload) => {
    expect(await call(payload)).toMatchObject({ kind: 'ACK 4.00', text: '' });
  });

  it('an id that is no number makes it a command of the device', async () => {
    expect(await ask('POST', 'api/v1/tok1/rpc/x', '{"method":"turn"}')).toMatchObject({ kind: 'ACK 2.05' });
  });

  it('a failure of the server logic is told in the reply', async () => {
    expect(await call('{"method":"fail"}')).toMatchObject({ kind: 'ACK 2.05', format: 50, text: '{"error":"boom"}' });
  });

  it('whose device is deleted meanwhile gets 4.03', async () => {
    const calling = call('{"method":"silent"}');
    while (gateway.core.clientRpc.waiting === 0) await new Promise(setImmediate);
    await gateway.core.devices.delete(gateway.tenantId, device.id);
    expect((await calling).kind).toMatch(/ 4\.03$/);
  });

  it('TV-276: a reply that takes long follows separately and is confirmed', async () => {
    client.acknowledges = false;
    client.send({
      method: 'POST',
      path: `api/v1/${device.token}/rpc`,
      payload: '{"method":"slow"}',
      messageId: 99,
      token: Buffer.from('cafe', 'hex'),
    });
    expect(await client.next()).toMatchObject({ kind: 'ACK 0.00', messageId: 99, token: '' });
    const reply = await client.next();
    expect(reply).toMatchObject({ kind: 'CON 2.05', token: 'cafe', format: 50, text: '{"late":true}' });
    client.acknowledge(reply);
    expect(await client.rest()).toEqual([]);
  });

  it('a separate reply to a NON command is NON', async () => {
    const answer = await ask('POST', 'api/v1/tok1/rpc', '{"method":"slow"}', { confirmable: false });
    expect(answer).toMatchObject({ kind: 'NON 2.05', text: '{"late":true}' });
  });

  it('TV-277: a quick reply is in the acknowledgement', async () => {
    expect(await ask('POST', 'api/v1/tok1/rpc', '{"method":"quick"}', { messageId: 5 })).toMatchObject({
      kind: 'ACK 2.05',
      messageId: 5,
    });
  });

  it('a command without a reply is answered 5.04 after CLIENT_SIDE_RPC_TIMEOUT', async () => {
    const before = performance.now();
    expect(await call('{"method":"silent"}')).toMatchObject({ kind: 'CON 5.04', text: '', format: undefined });
    expect(performance.now() - before).toBeGreaterThan(590);
    expect(gateway.gauge('tandem_client_rpcs_waiting')).toBe(0);
  });
});

describe('replies to commands of the server', () => {
  const reply = (id: number | string, payload: string) => ask('POST', `api/v1/tok1/rpc/${id}`, payload);

  it('TV-270, TV-295: the caller gets the reply', async () => {
    const command = await gateway.command(device);
    expect(command.requestId).toBe(0);
    expect(await reply(0, '{"result" : "ok"}')).toMatchObject({ kind: 'ACK 2.01', text: '' });
    expect(await command.outcome).toEqual({ kind: 'answered', response: '{"result":"ok"}', isJson: true });
  });

  it.each(['5', '[]', '"x"', '', 'null', '{'])('TV-271: the reply %j is 4.00 and changes nothing', async (payload) => {
    const command = await gateway.command(device);
    expect(await reply(0, payload)).toMatchObject({ kind: 'ACK 4.00', text: '' });
    expect(await gateway.rpc(command.id)).toMatchObject({ status: 'QUEUED', response: null });
  });

  it.each(['77', '2147483647', '2147483648', '99999999999', '-1', '00'])(
    'TV-272: the unknown id %s is 2.01',
    async (id) => {
      expect(await reply(id, '{}')).toMatchObject({ kind: 'ACK 2.01', text: '' });
    },
  );

  it('a second reply and one to a one-way command are accepted and change nothing', async () => {
    const twoWay = await gateway.command(device);
    await reply(0, '{"n":1}');
    expect(await reply(0, '{"n":2}')).toMatchObject({ kind: 'ACK 2.01' });
    expect(await gateway.rpc(twoWay.id)).toMatchObject({ status: 'SUCCESSFUL', response: '{"n":1}' });
    const oneWay = await gateway.command(device, { oneway: true });
    expect(await reply(1, '{"n":3}')).toMatchObject({ kind: 'ACK 2.01' });
    expect(await gateway.rpc(oneWay.id)).toMatchObject({ status: 'QUEUED', response: null });
  });

  it("a reply to another device's command changes nothing", async () => {
    const other = await gateway.device();
    const command = await gateway.command(other);
    expect(await reply(command.requestId, '{"stolen":true}')).toMatchObject({ kind: 'ACK 2.01' });
    expect(await gateway.rpc(command.id)).toMatchObject({ status: 'QUEUED', response: null });
  });
});
