import type { ClientRpcBackend, PayloadCodec } from '@tandem/core';
import type { RawClient, RawRequest } from './testing/raw-client';
import { type TestDevice, TestGateway } from './testing/test-gateway';

const CBOR = 60;
const SENML_JSON = 110;
const SENML_CBOR = 112;
const OWN = 65_001;

const backend: ClientRpcBackend = {
  call: ({ method, params }) => Promise.resolve(`{"method":"${method}","params":${params}}`),
};

/** One byte of temperature; the answer is a byte, too. */
const byte: PayloadCodec = {
  name: 'byte',
  mediaTypes: [],
  contentFormat: OWN,
  decode(bytes) {
    if (bytes.length !== 1) throw new Error('secret');
    return `{"t":${bytes[0]}}`;
  },
  encode(json) {
    if (json.includes('unspeakable')) throw new Error('no word for it');
    return Buffer.from([json.length]);
  },
};

let gateway: TestGateway;
let client: RawClient;
let device: TestDevice;
beforeAll(async () => {
  gateway = await TestGateway.start({
    backend,
    codecs: [byte],
    settings: { TANDEM_FORMAT_MAX_BYTES: '400', TANDEM_MESSAGE_MAX_BYTES: '2000' },
  });
});
afterAll(() => gateway.stop());
beforeEach(async () => {
  device = await gateway.device();
  client = await gateway.client();
});

const hex = (text: string) => Buffer.from(text, 'hex');
const path = (feature: string) => `api/v1/${device.token}/${feature}`;
const post = (
  feature: string,
  contentFormat: number | undefined,
  payload: Buffer | string,
  more: Partial<RawRequest> = {},
) => client.ask({ method: 'POST', path: path(feature), contentFormat, payload, ...more });
const stored = async () =>
  Object.fromEntries(Object.entries(await gateway.stored(device)).map(([key, { value }]) => [key, value]));

describe('a body over CoAP', () => {
  it('that is not JSON is bounded, and the refusal says by how much', async () => {
    const text = (length: number) =>
      Buffer.concat([hex('a16161'), hex('79'), hex(length.toString(16).padStart(4, '0')), Buffer.alloc(length, 'x')]);
    expect(await post('telemetry', CBOR, text(394))).toMatchObject({ kind: 'ACK 2.01' });
    for (const [feature, format] of [
      ['telemetry', CBOR],
      ['attributes', CBOR],
      ['claim', CBOR],
      ['rpc/1', CBOR],
      ['rpc', CBOR],
      ['telemetry', SENML_JSON],
    ] as const) {
      expect(await post(feature, format, text(395))).toMatchObject({ kind: 'ACK 4.13', text: '', size1: 400 });
    }
    expect(await post('telemetry', undefined, `{"a":"${'x'.repeat(400)}"}`)).toMatchObject({ kind: 'ACK 2.01' });
  });

  it('is CBOR with Content-Format 60, and keeps integers, floats and all their digits', async () => {
    const body = hex('a36161182a6162f951406163fb3fd3333333333334');
    expect(await post('telemetry', CBOR, body)).toMatchObject({ kind: 'ACK 2.01', text: '', format: undefined });
    expect(await stored()).toEqual({ a: '42', b: '42.0', c: '0.30000000000000004' });
    expect(await post('attributes', CBOR, body)).toMatchObject({ kind: 'ACK 2.01' });
    expect(await gateway.clientAttributes(device)).toEqual({ a: '42', b: '42.0', c: '0.30000000000000004' });
  });

  it('is SenML with Content-Format 110 or 112', async () => {
    const pack = '[{"bn":"dev:","bt":1700000000,"n":"t","v":23.0}]';
    expect(await post('telemetry', SENML_JSON, pack)).toMatchObject({ kind: 'ACK 2.01' });
    expect(await gateway.stored(device)).toEqual({ 'dev:t': { ts: 1_700_000_000_000, value: '23.0' } });
    expect(await post('attributes', SENML_CBOR, hex('81a2006178021829'))).toMatchObject({ kind: 'ACK 2.01' });
    expect(await gateway.clientAttributes(device)).toEqual({ x: '41' });
  });

  it('that is too large as JSON text is 4.13', async () => {
    const controls = '\x01'.repeat(380);
    const cbor = Buffer.concat([hex('a1616279017c'), Buffer.from(controls)]);
    for (const feature of ['telemetry', 'attributes', 'rpc/1']) {
      expect(await post(feature, CBOR, cbor)).toMatchObject({ kind: 'ACK 4.13' });
      expect(await post(feature, undefined, `{"b":"${controls}"}`)).toMatchObject({ kind: 'ACK 4.13' });
    }
    expect(await stored()).toEqual({});
  });

  it('in blocks is what its first block says', async () => {
    const [first, second] = [hex(`a16161781a${'62'.repeat(11)}`), hex('62'.repeat(15))];
    const blocks = { method: 'POST', path: path('telemetry') };
    expect(await client.ask({ ...blocks, contentFormat: CBOR, payload: first, block1: 0x08 })).toMatchObject({
      kind: 'ACK 2.31',
    });
    expect(await client.ask({ ...blocks, payload: second, block1: 0x10 })).toMatchObject({ kind: 'ACK 2.01' });
    expect(await stored()).toEqual({ a: `"${'b'.repeat(26)}"` });
  });

  it.each([undefined, 50, 0, 40, 41, 42, 47, 61, 111, 65_535])(
    'is JSON with Content-Format %s',
    async (contentFormat) => {
      expect(await post('telemetry', contentFormat, '{a:1.0}', { accept: 0 })).toMatchObject({ kind: 'ACK 2.01' });
      expect(await stored()).toEqual({ a: '1.0' });
    },
  );

  it.each([
    [CBOR, '{"a":1}'],
    [CBOR, hex('a16161')],
    [CBOR, ''],
    [SENML_JSON, '{"a":1}'],
    [SENML_CBOR, hex('a1616101')],
    [OWN, '{"a":1}'],
  ])('that is not what Content-Format %s says is 4.00', async (contentFormat, payload) => {
    for (const feature of ['telemetry', 'attributes']) {
      expect(await post(feature, contentFormat, payload)).toMatchObject({ kind: 'ACK 4.00', text: '' });
    }
    expect(await stored()).toEqual({});
  });
});

describe('an answer over CoAP', () => {
  const JSON_TEXT = '{"client":{"level":42.0},"shared":{"limit":7}}';
  beforeEach(async () => {
    await post('attributes', undefined, '{"level":42.0}');
    await gateway.share(device, { limit: '7' });
  });
  const read = (accept: number | undefined, more: Partial<RawRequest> = {}) =>
    client.ask({ path: path('attributes'), accept, ...more });

  it.each([undefined, 50, 0, 41, 42, 111, 65_535])('is JSON for Accept %s', async (accept) => {
    expect(await read(accept, { contentFormat: CBOR })).toMatchObject({
      kind: 'ACK 2.05',
      text: JSON_TEXT,
      format: 50,
    });
  });

  it('is in the format that is accepted', async () => {
    const cbor = await read(CBOR);
    expect(cbor).toMatchObject({ kind: 'ACK 2.05', format: CBOR });
    expect(cbor.payload.toString('hex')).toBe('a266636c69656e74a1656c6576656cf9514066736861726564a1656c696d697407');
    expect(await read(SENML_JSON)).toMatchObject({
      text: '[{"bn":"client/","n":"level","v":42.0},{"bn":"shared/","n":"limit","v":7}]',
      format: SENML_JSON,
    });
    const senml = await read(SENML_CBOR, { query: ['sharedKeys=limit'] });
    expect(senml.payload.toString('hex')).toBe('81a321677368617265642f00656c696d69740207');
    expect(await read(OWN)).toMatchObject({ format: OWN, payload: Buffer.from([JSON_TEXT.length]) });
  });

  it('in blocks is in the format that is accepted to its end', async () => {
    await gateway.share(device, { long: `"${'x'.repeat(1500)}"` });
    const read2 = (block2: number) => read(CBOR, { query: ['sharedKeys=long'], block2 });
    const [first, second] = [await read2(0x06), await read2(0x16)];
    expect([first, second]).toMatchObject([
      { format: CBOR, block2: 0x0e },
      { format: CBOR, block2: 0x16 },
    ]);
    const whole = Buffer.concat([first.payload, second.payload]);
    expect(whole.toString('latin1')).toBe(`\xa1fshared\xa1dlong\x79\x05\xdc${'x'.repeat(1500)}`);
  });

  it('that nothing was found carries the format as well', async () => {
    expect(await read(CBOR, { query: ['clientKeys=none'] })).toMatchObject({
      kind: 'ACK 4.04',
      format: CBOR,
      text: '',
    });
  });

  it('to an observer of attributes is in the format it registered with, from the first one on', async () => {
    const observe = async (accept: number) => {
      const token = client.newToken();
      const first = await read(accept, { observe: 0, token });
      return { token, first };
    };
    const cbor = await observe(CBOR);
    expect(cbor.first).toMatchObject({ kind: 'ACK 2.05', observe: 0, format: CBOR });
    expect(cbor.first.payload.toString('hex')).toBe('a1656c696d697407');
    await gateway.share(device, { limit: '1.5' });
    const changed = await client.notification(cbor.token);
    expect(changed).toMatchObject({ format: CBOR, payload: hex('a1656c696d6974f93e00') });
    const senml = await observe(SENML_JSON);
    expect(senml.first).toMatchObject({ text: '[{"n":"limit","v":1.5}]', format: SENML_JSON });
    await gateway.unshare(device, 'limit');
    expect(await client.notification(senml.token)).toMatchObject({ text: '[{"n":"limit","v":null}]' });
  });

  it('to an observer that its codec fails to write ends the observation with 5.00, told of once', async () => {
    const token = client.newToken();
    await client.ask({ path: path('attributes'), accept: OWN, observe: 0, token });
    await gateway.share(device, { x: '"unspeakable"' });
    expect(await client.notification(token)).toMatchObject({ kind: 'CON 5.00', observe: undefined, text: '' });
    await gateway.share(device, { x: '1' });
    expect(await client.rest()).toEqual([]);
    const again = await client.ask({ path: path('attributes'), accept: OWN, observe: 0, token });
    expect(again).toMatchObject({ kind: 'ACK 2.05', observe: 0, format: OWN });
  });

  it('to an observer of commands is in the format it registered with, and takes the reply in CBOR', async () => {
    const token = client.newToken();
    const registered = await client.ask({ path: path('rpc'), accept: CBOR, observe: 0, token });
    expect(registered).toMatchObject({ kind: 'ACK 2.03', observe: 0, text: '' });
    const sent = await gateway.command(device, { params: '1' });
    const command = await client.notification(token);
    expect(command.format).toBe(CBOR);
    expect(command.payload.toString('hex')).toBe('a362696400666d6574686f64616d66706172616d7301');
    expect(await post(`rpc/${sent.requestId}`, CBOR, hex('a16161fb3ff199999999999a'))).toMatchObject({
      kind: 'ACK 2.01',
    });
    expect(await sent.outcome).toEqual({ kind: 'answered', response: '{"a":1.1}', isJson: true });
    expect(await post(`rpc/${sent.requestId}`, CBOR, hex('01'))).toMatchObject({ kind: 'ACK 4.00' });
  });

  it('to a command of the device is in the format of the command, unless it accepts another', async () => {
    const body = hex('a2666d6574686f64616d66706172616d7301');
    expect(await post('rpc', CBOR, body)).toMatchObject({ kind: 'ACK 2.05', format: CBOR, payload: body });
    const text = '{"method":"m","params":1}';
    for (const accept of [50, 0, SENML_JSON]) {
      expect(await post('rpc', CBOR, body, { accept })).toMatchObject({ format: 50, text });
    }
    expect(await post('rpc', undefined, text, { accept: CBOR })).toMatchObject({ format: CBOR, payload: body });
    expect(await post('rpc', SENML_JSON, text)).toMatchObject({ format: 50, text });
  });
});
