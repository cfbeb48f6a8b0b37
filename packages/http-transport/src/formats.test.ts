import { once } from 'node:events';
import type { ClientRpcBackend, PayloadCodec, RecordLines } from '@tandem/core';
import { trustedValue } from '@tandem/core';
import fc from 'fast-check';
import { type Answer, type TestDevice, TestGateway } from './testing/test-gateway';

const backend: ClientRpcBackend = {
  call: ({ method, params }) => Promise.resolve(`{"method":"${method}","params":${params}}`),
};

/** `key=value` lines; what it says of its troubles is a secret. */
const lines: PayloadCodec = {
  name: 'lines',
  mediaTypes: ['text/x-lines', 'text/x-lines-too'],
  contentFormat: undefined,
  kinds: ['telemetry', 'attributes', 'command', 'reply'],
  decode(bytes) {
    const members = bytes
      .toString()
      .split('\n')
      .map((line) => {
        const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
        if (key === undefined) throw new Error('/etc/secret is not readable');
        return `"${key}":${value}`;
      });
    return `{${members.join(',')}}`;
  },
  encode(json, { kind }) {
    if (json.includes('unspeakable')) throw new Error('no word for it');
    return Buffer.from(`${kind} ${json}`);
  },
};

/** All that JSON says, but for one word. */
const mute: PayloadCodec = {
  name: 'mute',
  mediaTypes: ['text/x-mute'],
  contentFormat: undefined,
  decode: (bytes) => bytes.toString(),
  encode(json) {
    if (json.includes('unspeakable')) throw new Error('no word for it');
    return Buffer.from(json);
  },
};

let gateway: TestGateway;
let device: TestDevice;
beforeAll(async () => {
  gateway = await TestGateway.start({
    backend,
    codecs: [lines, mute],
    settings: { TANDEM_FORMAT_MAX_BYTES: '4096', TANDEM_MESSAGE_MAX_BYTES: '20000' },
  });
});
afterAll(() => {
  callers.abort();
  return gateway.stop();
});
beforeEach(async () => {
  device = await gateway.device();
});

const CBOR = 'application/cbor';
const hex = (text: string) => Buffer.from(text, 'hex');
const post = (path: string, type: string | undefined, body: string | Buffer, headers: Record<string, string> = {}) =>
  gateway.send('POST', `/${device.token}${path}`, {
    body,
    headers: { ...(type === undefined ? {} : { 'Content-Type': type }), ...headers },
  });
const get = (path: string, accept?: string): Promise<Answer> =>
  gateway.send('GET', `/${device.token}${path}`, { headers: accept === undefined ? {} : { Accept: accept } });
const stored = async () =>
  Object.fromEntries(Object.entries(await gateway.stored(device)).map(([key, { value }]) => [key, value]));
const share = (key: string, value: string) =>
  gateway.core.attributes.saveFromServer(device.id, 'SHARED', [{ key, value: trustedValue(value) }]);
const command = (method: string, params: string) =>
  gateway.core.rpcCalls.send(
    { tenantId: gateway.tenantId, deviceId: device.id, oneway: false, method, params },
    callers.signal,
  );
const callers = new AbortController();

describe('a body that is not JSON', () => {
  const REFUSAL = JSON.stringify('Payload size exceeds the limit of 4096 bytes');
  const text = (length: number) =>
    Buffer.concat([hex(`a1616179${length.toString(16).padStart(4, '0')}`), Buffer.alloc(length, 'x')]);

  it.each([
    ['/telemetry', CBOR],
    ['/attributes', CBOR],
    ['/claim', CBOR],
    ['/rpc', CBOR],
    ['/rpc/1', CBOR],
    ['/telemetry', 'application/senml+json'],
    ['/attributes', 'text/x-lines'],
  ])('is bounded: %s in %s', async (path, type) => {
    const { status, text: body } = await post(path, type, text(4_091));
    expect([status, body]).toEqual([413, REFUSAL]);
  });

  it('of the length that is allowed is read, and one in JSON may be longer', async () => {
    expect((await post('/telemetry', CBOR, text(4_090))).status).toBe(200);
    expect((await post('/telemetry', undefined, `{"a":"${'x'.repeat(5_000)}"}`)).status).toBe(200);
  });

  it('is refused before it is read where its length is announced, and when it is too long where not', async () => {
    for (const [framing, body] of [
      ['Content-Length: 5000', ''],
      ['Transfer-Encoding: chunked', `1001\r\n${'x'.repeat(0x1001)}\r\n`],
    ] as const) {
      const socket = gateway.connect();
      const head = `POST /api/v1/${device.token}/telemetry HTTP/1.1\r\nHost: x\r\nContent-Type: ${CBOR}`;
      socket.write(`${head}\r\n${framing}\r\n\r\n${body}`);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      socket.destroy();
      expect(answer.toString()).toMatch(/^HTTP\/1.1 413 /);
      expect(answer.toString()).toContain(REFUSAL);
    }
  });
});

describe('a body over HTTP', () => {
  it.each([
    ['application/cbor', 'a3616118 2a6162f951406163fb3fd3333333333334'],
    ['Application/CBOR', 'a3616118 2a6162f951406163fb3fd3333333333334'],
    ['application/cbor; charset=utf-8', 'a3616118 2a6162f951406163fb3fd3333333333334'],
  ])('is CBOR with Content-Type %s, and keeps integers, floats and all their digits', async (type, body) => {
    expect(await post('/telemetry', type, hex(body.replace(' ', '')))).toMatchObject({ status: 200, text: '' });
    expect(await stored()).toEqual({ a: '42', b: '42.0', c: '0.30000000000000004' });
  });

  it('is SenML in JSON or CBOR', async () => {
    const pack = '[{"bn":"dev:","bt":1700000000,"n":"t","u":"Cel","v":23.0},{"n":"on","t":1,"vb":true}]';
    expect(await post('/telemetry', 'application/senml+json', pack)).toMatchObject({ status: 200 });
    expect(await gateway.stored(device)).toEqual({
      'dev:t': { ts: 1_700_000_000_000, value: '23.0' },
      'dev:on': { ts: 1_700_000_001_000, value: 'true' },
    });
    const cbor = hex('82a300617802182a03f6'.replace('03f6', '').replace('82a3', '81a2'));
    expect(await post('/attributes', 'application/senml+cbor', cbor)).toMatchObject({ status: 200 });
    expect(await gateway.clientAttributes(device)).toEqual({ x: '42' });
  });

  it.each([
    undefined,
    'application/json',
    'application/json; charset=utf-8',
    'application/x-www-form-urlencoded',
    'text/plain',
    'application/octet-stream',
    'application/senml+xml',
    'image/png;base64',
    ';',
    'cbor',
  ])('is JSON with Content-Type %s', async (type) => {
    expect(await post('/telemetry', type, '{a:1.0}')).toMatchObject({ status: 200 });
    expect(await stored()).toEqual({ a: '1.0' });
  });

  it.each([
    [CBOR, '{"a":1}'],
    [CBOR, hex('a1616101ff')],
    [CBOR, hex('9bffffffffffffffff')],
    ['application/senml+json', '{"a":1}'],
    ['application/senml+json', '[{"n":"a","v":1,"x_":1}]'],
    ['application/senml+cbor', hex('a1616101')],
    ['text/x-lines', 'a'],
  ])('that is not what its type %s says is refused whole, in JSON', async (type, body) => {
    for (const path of ['/telemetry', '/attributes']) {
      const answer = await post(path, type, body, { Accept: CBOR });
      expect(answer).toMatchObject({ status: 400, headers: { 'content-type': 'application/json' } });
      expect(JSON.parse(answer.text)).toMatchObject({ status: 400, errorCode: 31 });
      expect(answer.text).not.toContain('secret');
    }
    expect(await stored()).toEqual({});
    expect(await gateway.clientAttributes(device)).toEqual({});
  });

  it('of any bytes is stored or refused, never a fault of the gateway', async () => {
    const types = [CBOR, 'application/senml+json', 'application/senml+cbor', undefined];
    const body = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 60 }),
      fc.json().map((text) => Buffer.from(text)),
      fc.json().map((text) => Buffer.from(`[{"n":"a","v":${text}}]`)),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...types),
        fc.constantFrom('/telemetry', '/attributes', '/claim'),
        body,
        async (type, path, bytes) => {
          const { status } = await post(path, type, Buffer.from(bytes));
          expect([200, 400]).toContain(status);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('that is too large as JSON text is refused, whatever it is and in whatever format', async () => {
    const controls = '\x01'.repeat(4_000);
    const json = Buffer.from(`{"b":"${controls}"}`);
    const cbor = Buffer.concat([hex('a16162790fa0'), Buffer.from(controls)]);
    for (const path of ['/telemetry', '/attributes', '/rpc/1']) {
      for (const [type, body] of [
        [undefined, json],
        [CBOR, cbor],
      ] as const) {
        expect(await post(path, type, body)).toMatchObject({
          status: 413,
          text: '"The payload takes more than 20000 bytes as JSON text, in which control characters are escaped"',
        });
      }
    }
    const entry = { key: 'b', value: trustedValue(JSON.stringify(controls)) };
    const tooLarge = { code: 'PAYLOAD_TOO_LARGE' };
    await expect(gateway.core.attributes.saveFromServer(device.id, 'SHARED', [entry])).rejects.toMatchObject(tooLarge);
    const lines = `1 {"b":${entry.value}}` as RecordLines;
    await expect(gateway.core.telemetry.saveFromServer(device.id, lines, undefined)).rejects.toMatchObject(tooLarge);
    await expect(command('m', entry.value)).rejects.toMatchObject(tooLarge);
    expect(await stored()).toEqual({});
    const plain = await post('/telemetry', undefined, `{"b":"${'x'.repeat(18_000)}"}`);
    expect(plain.status).toBe(200);
  });

  it('of a type that knows no commands is JSON where it is a command', async () => {
    const answer = await post('/rpc', 'application/senml+json', '{"method":"m","params":1}');
    expect(answer).toMatchObject({ status: 200, text: '{"method":"m","params":1}' });
  });
});

describe('an answer over HTTP', () => {
  beforeEach(async () => {
    await post('/attributes', undefined, '{"level":42.0,"tree":{"b":[1,2.0]}}');
    await share('limit', '7');
  });
  const JSON_TEXT = '{"client":{"level":42.0,"tree":{"b":[1,2.0]}},"shared":{"limit":7}}';
  const CBOR_HEX = 'a266636c69656e74a2656c6576656cf951406474726565a161628201f9400066736861726564a1656c696d697407';

  it.each([
    undefined,
    '*/*',
    'application/json',
    'text/plain',
    'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2',
    'application/*',
    'application/json;q=0.5, */*',
    'application/json, application/cbor',
    'application/cbor;q=0.5, application/json',
    'application/cbor;q=0',
    'application/xml, application/cbor;q=0.3, */*;q=0.9',
    `${'x'.repeat(2000)}, application/cbor`,
  ])('is JSON for Accept %s', async (accept) => {
    expect(await get('/attributes', accept)).toMatchObject({
      status: 200,
      text: JSON_TEXT,
      headers: { 'content-type': 'application/json', vary: 'Accept' },
    });
  });

  it.each([
    'application/cbor',
    'APPLICATION/CBOR',
    'application/cbor, application/json',
    'application/cbor, */*',
    'application/json;q=0.5, application/cbor;q=0.6',
    'application/cbor;x="a,b;q=0", text/plain',
    'text/plain, application/cbor; q=0.1',
  ])('is CBOR for Accept %s', async (accept) => {
    const answer = await get('/attributes', accept);
    expect(answer).toMatchObject({ status: 200, headers: { 'content-type': CBOR, vary: 'Accept' } });
    expect(answer.payload.toString('hex')).toBe(CBOR_HEX);
    expect(answer.headers['content-length']).toBe(String(CBOR_HEX.length / 2));
  });

  it('is SenML where that is asked for', async () => {
    expect(await get('/attributes', 'application/senml+json')).toMatchObject({
      text:
        '[{"bn":"client/","n":"level","v":42.0},{"n":"tree","vs":"{\\"b\\":[1,2.0]}"},' +
        '{"bn":"shared/","n":"limit","v":7}]',
      headers: { 'content-type': 'application/senml+json' },
    });
    const cbor = await get('/attributes?sharedKeys=limit', 'application/senml+cbor');
    expect(cbor.payload.toString('hex')).toBe('81a321677368617265642f00656c696d69740207');
    expect(await get('/attributes?sharedKeys=none', 'application/senml+json')).toMatchObject({
      status: 200,
      text: '[]',
    });
  });

  it('to a HEAD has the headers of the format', async () => {
    const { headers } = await gateway.send('HEAD', `/${device.token}/attributes`, { headers: { Accept: CBOR } });
    expect(headers).toMatchObject({ 'content-type': CBOR, 'content-length': String(CBOR_HEX.length / 2) });
  });

  it('holds what JSON nests as deep as it may', async () => {
    const deep = `${'['.repeat(254)}1${']'.repeat(254)}`;
    expect(await post('/attributes', undefined, `{"deep":${deep}}`)).toMatchObject({ status: 200 });
    expect(await get('/attributes?clientKeys=deep', CBOR)).toMatchObject({ status: 200 });
  });

  it('to a poll of updates is in the format the poll asked for', async () => {
    const polls = [
      get('/attributes/updates', CBOR),
      get('/attributes/updates', 'application/senml+json'),
      get('/attributes/updates'),
    ];
    await gateway.polls(3);
    await share('a', '1.5');
    const [cbor, senml, json] = await Promise.all(polls);
    expect(cbor?.payload.toString('hex')).toBe('a16161f93e00');
    expect(senml).toMatchObject({ text: '[{"n":"a","v":1.5}]', headers: { vary: 'Accept' } });
    expect(json?.text).toBe('{"a":1.5}');
    const later = get('/attributes/updates', 'application/senml+json');
    await gateway.core.attributes.delete(device.id, 'SHARED', ['a']);
    expect((await later).text).toBe('[{"n":"a","v":null}]');
  });

  it('to a poll of commands is in the format the poll asked for, and SenML has none', async () => {
    void command('m', '{"b":1.0}');
    const cbor = await get('/rpc', CBOR);
    expect(cbor.payload.toString('hex')).toBe('a362696400666d6574686f64616d66706172616d73a16162f93c00');
    void command('m', '2');
    expect(JSON.parse((await get('/rpc', 'application/senml+cbor')).text)).toMatchObject({ method: 'm' });
  });

  it('to a command of the device is JSON where it refuses the format of the command', async () => {
    const body = hex('a2666d6574686f64616d66706172616d7301');
    const type = async (accept: string) => (await post('/rpc', CBOR, body, { Accept: accept })).headers['content-type'];
    for (const accept of ['application/cbor;q=0, */*', 'application/cbor;q=0', '*/*, application/cbor;q=0.0']) {
      expect(await type(accept)).toBe('application/json');
    }
    for (const accept of ['text/html', '*/*', 'application/cbor;q=0.1']) expect(await type(accept)).toBe(CBOR);
  });

  it('to a command of the device is in the format of the command, unless it asks for another', async () => {
    const body = hex('a2666d6574686f64616d66706172616d7301');
    for (const accept of [undefined, '*/*', CBOR]) {
      const answer = await post('/rpc', CBOR, body, accept === undefined ? {} : { Accept: accept });
      expect(answer).toMatchObject({ status: 200, headers: { 'content-type': CBOR } });
      expect(answer.payload).toEqual(body);
    }
    for (const accept of ['application/json', 'application/json, */*;q=0.1']) {
      expect(await post('/rpc', CBOR, body, { Accept: accept })).toMatchObject({ text: '{"method":"m","params":1}' });
    }
    const asked = await post('/rpc', undefined, '{"method":"m","params":1}', { Accept: CBOR });
    expect(asked.payload).toEqual(body);
  });
});

it('takes a claim in CBOR, or nothing of it', async () => {
  const claim = hex('a2697365637265744b65796576616c75656a6475726174696f6e4d7319ea60');
  expect(await post('/claim', CBOR, claim)).toMatchObject({ status: 200 });
  const { claims } = gateway.core.state;
  const kept = await claims.get(device.id);
  expect(kept?.expirationTime).toBeLessThanOrEqual(Date.now() + 60_000);
  expect(await post('/claim', CBOR, '{}')).toMatchObject({ status: 400 });
  expect(await post('/claim', CBOR, '')).toMatchObject({ status: 200 });
});

it('takes the reply to a command in CBOR', async () => {
  const outcome = command('m', '1');
  const { id } = JSON.parse((await get('/rpc')).text);
  expect(await post(`/rpc/${id}`, CBOR, hex('a16161fb3ff199999999999a'))).toMatchObject({ status: 200 });
  expect(await outcome).toEqual({ kind: 'answered', response: '{"a":1.1}', isJson: true });
});

describe("a codec of one's own over HTTP", () => {
  it('reads and writes, by any of its names, and says which with the first', async () => {
    expect(await post('/telemetry', 'text/x-lines-too', 'a=1\nb=1e10')).toMatchObject({ status: 200 });
    expect(await stored()).toEqual({ a: '1', b: '1.0E10' });
    await share('x', '1');
    expect(await get('/attributes', 'text/x-lines-too')).toMatchObject({
      text: 'attributes {"shared":{"x":1}}',
      headers: { 'content-type': 'text/x-lines' },
    });
  });

  it('is not asked about what it is not for', async () => {
    await share('x', '1');
    const poll = get('/attributes/updates', 'text/x-lines');
    await gateway.polls(1);
    await share('x', '2');
    expect(await poll).toMatchObject({ text: '{"x":2}', headers: { 'content-type': 'application/json' } });
  });

  it('that fails to write is a fault of the gateway, which is logged and not told', async () => {
    await share('x', '"unspeakable"');
    const answer = await get('/attributes', 'text/x-lines');
    expect(answer).toMatchObject({ status: 500, headers: { 'content-type': 'application/json' } });
    expect(answer.text).not.toContain('no word');
    const id = answer.headers['x-correlation-id'];
    const told = gateway.log.filter((line) => line.includes(String(id)));
    expect(told).toHaveLength(1);
    expect(told[0]).toContain('a payload codec failed to encode {"codec":"lines","kind":"attributes"');
  });

  it('that fails to write the answer to a command of the device has that answered as well', async () => {
    const answer = await post('/rpc', undefined, '{"method":"unspeakable","params":1}', { Accept: 'text/x-lines' });
    expect(answer).toMatchObject({ status: 500, headers: { 'content-type': 'application/json' } });
    const other = await post('/rpc', undefined, '{"method":"m","params":1}', { Accept: 'text/x-lines' });
    expect(other.text).toBe('reply {"method":"m","params":1}');
  });

  it('that fails to write an update answers 500 once, and the poll after it gets the next one', async () => {
    const poll = () => get('/attributes/updates?timeout=5000', 'text/x-mute');
    const first = poll();
    await gateway.polls(1);
    await share('x', '"unspeakable"');
    expect(await first).toMatchObject({ status: 500 });
    await share('x', '2');
    expect(await poll()).toMatchObject({ status: 200, text: '{"x":2}' });
  });

  it('that fails to write a command fails the command, and the next one is delivered', async () => {
    const first = command('unspeakable', '1');
    void command('m', '2');
    const answer = await get('/rpc', 'text/x-lines');
    expect(answer.text).toMatch(/^command {"id":\d+,"method":"m","params":2}$/);
    expect(await first).not.toMatchObject({ kind: 'answered' });
  });
});
