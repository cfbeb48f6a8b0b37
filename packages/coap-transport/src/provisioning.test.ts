import type { RawClient, RawRequest } from './testing/raw-client';
import { TestGateway, type TestGatewayOptions } from './testing/test-gateway';

const FAILURE = { errorMsg: 'Failed to provision device!', status: 'FAILURE' };
const NOT_FOUND = { errorMsg: 'Provision data was not found!', status: 'NOT_FOUND' };
const KEYS = { provisionDeviceKey: 'ka', provisionDeviceSecret: 'sa' };
const PATH = 'api/v1/provision';

/** With a profile that lets new devices in, and one that knows those to come. */
async function start(settings: TestGatewayOptions['settings'] = {}): Promise<TestGateway> {
  const gateway = await TestGateway.start({ settings });
  for (const [key, provisionType] of [
    ['a', 'ALLOW_CREATE_NEW_DEVICES'],
    ['c', 'CHECK_PRE_PROVISIONED_DEVICES'],
  ] as const) {
    const profileData = `{"provisionConfiguration":{"type":"${provisionType}","provisionDeviceSecret":"s${key}"}}`;
    await gateway.profile({ provisionType, provisionDeviceKey: `k${key}`, profileData, name: key });
  }
  return gateway;
}

let gateway: TestGateway;
let client: RawClient;
beforeAll(async () => {
  gateway = await start({ TANDEM_PROVISION_MAX_FAILURES: '0' });
  client = await gateway.client();
});
afterAll(() => gateway.stop());

const post = (payload: string | Buffer | object, more: Partial<RawRequest> = {}, from = client) =>
  from.ask({
    method: 'POST',
    path: PATH,
    payload: typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload),
    ...more,
  });
const json = ({ kind, text, format }: { kind: string; text: string; format: number | undefined }) => [
  kind,
  text === '' ? text : JSON.parse(text),
  format,
];

describe('A device that asks for its credentials over CoAP', () => {
  it('TV-278, TV-279: gets a token that works, and is refused a second time', async () => {
    const [kind, body, format] = json(await post({ deviceName: 'n1', ...KEYS }));
    const credentialsValue = expect.stringMatching(/^[A-Za-z0-9]{20}$/);
    expect([kind, format]).toEqual(['ACK 2.01', 0]);
    expect(body).toEqual({ status: 'SUCCESS', credentialsType: 'ACCESS_TOKEN', credentialsValue });
    const path = `api/v1/${body.credentialsValue}/telemetry`;
    expect((await client.ask({ method: 'POST', path, payload: '{"a":1}' })).kind).toBe('ACK 2.01');
    expect(json(await post({ deviceName: 'n1', ...KEYS }))).toEqual(['ACK 4.00', FAILURE, 0]);
  });

  it('TV-280: is told that nothing is found for its key and secret', async () => {
    expect(json(await post({ ...KEYS, provisionDeviceSecret: 'wrong' }))).toEqual(['ACK 4.00', NOT_FOUND, 0]);
  });

  it('TV-286: may put any segment before the last of the path', async () => {
    const answer = await post({ deviceName: 'n2', ...KEYS }, { path: 'api/v1/anything/provision' });
    expect(json(answer)).toMatchObject(['ACK 2.01', { status: 'SUCCESS' }, 0]);
  });

  it('that was made before is told its token, once', async () => {
    const made = { name: 'pre1', type: 'c' };
    await gateway.core.devices.create(await tenantOf(gateway), made, { credentialsId: 'pretok' });
    const pre = { deviceName: 'pre1', provisionDeviceKey: 'kc', provisionDeviceSecret: 'sc' };
    const told = { status: 'SUCCESS', credentialsType: 'ACCESS_TOKEN', credentialsValue: 'pretok' };
    expect(json(await post(pre))).toEqual(['ACK 2.01', told, 0]);
    expect(json(await post(pre))).toEqual(['ACK 4.00', FAILURE, 0]);
  });

  it.each([
    ['TV-281: without a key', '{"provisionDeviceSecret":"sa"}'],
    ['without a secret', '{"provisionDeviceKey":"ka"}'],
    ['with null for a secret', '{"provisionDeviceKey":"ka","provisionDeviceSecret":null}'],
    ['of another type', JSON.stringify({ ...KEYS, credentialsType: 'FOO' })],
    ['TV-282: garbage', 'garbage'],
    ['a list', '[]'],
    ['a number', '5'],
    ['TV-283: nothing', ''],
    ['white space', ' \n'],
    ['half an object', '{"provisionDeviceKey":"ka"'],
  ])('%s is 4.00 and no word', async (_what, payload) => {
    expect(await post(payload)).toMatchObject({ kind: 'ACK 4.00', text: '', format: undefined });
  });

  it('has its request done once, however often the answer gets lost', async () => {
    const request = client.send({ method: 'POST', path: PATH, payload: JSON.stringify({ deviceName: 'n3', ...KEYS }) });
    const first = await client.next();
    client.sendRaw(request);
    expect(await client.next()).toEqual(first);
    expect(first.kind).toBe('ACK 2.01');
  });
});

async function tenantOf({ core }: TestGateway): Promise<string> {
  return (await core.state.accounts.findUserByEmail('tenant@example.org'))?.tenantId ?? '';
}

/** A field of a message of protobuf: a string or a message of less than 128 bytes. */
const field = (number: number, content: string | Buffer) =>
  Buffer.concat([Buffer.from([(number << 3) | 2, Buffer.byteLength(content)]), Buffer.from(content)]);

/** As a device makes it; see `proto/transport.proto`. */
const protobuf = (name: string, key: string, secret: string, ...more: readonly Buffer[]) =>
  Buffer.concat([field(1, name), field(3, Buffer.concat([field(1, key), field(2, secret)])), ...more]);

const credentialsType = (number: number) => Buffer.from([0x10, number]);

describe('A device that asks for its credentials in protobuf', () => {
  const ask = async (payload: Buffer) => {
    const before = client.datagrams.length;
    const { kind, format } = await post(payload);
    const datagram = client.datagrams[before] ?? Buffer.alloc(0);
    const marker = datagram.indexOf(0xff);
    return { kind, format, bytes: marker === -1 ? '' : datagram.subarray(marker + 1).toString('hex') };
  };

  it('TV-284: is answered in protobuf when nothing is found', async () => {
    const payload = protobuf('d', 'k', 's');
    expect(payload.toString('hex')).toBe('0a01641a060a016b120173');
    expect(await ask(payload)).toEqual({ kind: 'ACK 4.00', format: undefined, bytes: '0802' });
  });

  it('TV-285: gets its token in protobuf, and is refused a second time', async () => {
    const token = field(4, field(1, field(1, 'T1')));
    const expected = { kind: 'ACK 2.01', format: undefined, bytes: `08011a02${Buffer.from('T1').toString('hex')}` };
    expect(await ask(protobuf('p1', 'ka', 'sa', token))).toEqual(expected);
    expect(await ask(protobuf('p1', 'ka', 'sa'))).toEqual({ kind: 'ACK 4.00', format: undefined, bytes: '0803' });
  });

  it('gets what it brought for MQTT as text', async () => {
    const mqtt = field(4, field(3, Buffer.concat([field(1, 'c'), field(2, 'u')])));
    const text = '{"clientId":"c","userName":"u","password":""}';
    const bytes = `080110021a2d${Buffer.from(text).toString('hex')}`;
    expect(await ask(protobuf('p2', 'ka', 'sa', credentialsType(2), mqtt))).toEqual({
      kind: 'ACK 2.01',
      format: undefined,
      bytes,
    });
  });

  it.each([9, 10, 13, 32, 35, 47])(
    'may have a name of %i bytes, whatever JSON reads in that number',
    async (length) => {
      expect(await ask(protobuf('x'.repeat(length), 'ka', 'sa'))).toMatchObject({ kind: 'ACK 2.01' });
    },
  );

  it('that names no key is one of whom nothing is found', async () => {
    expect(await ask(Buffer.from([0x0a, 1, 0x64]))).toMatchObject({ kind: 'ACK 4.00', bytes: '0802' });
  });

  it.each([
    ['cut short', protobuf('d', 'ka', 'sa').subarray(0, -1)],
    ['with a type that nobody knows', protobuf('d', 'ka', 'sa', credentialsType(9))],
    ['with a name that is no text', Buffer.concat([protobuf('', 'ka', 'sa'), Buffer.from([0x0a, 1, 0xff])])],
  ])('%s is 4.00 and no word', async (_what, payload) => {
    expect(await ask(payload)).toEqual({ kind: 'ACK 4.00', format: undefined, bytes: '' });
  });
});

describe('Who tries keys over CoAP', () => {
  it('is refused with the time to come again, and devices that have a token are not', async () => {
    const strict = await start({ TANDEM_PROVISION_MAX_FAILURES: '3', TANDEM_PROVISION_LOCK_TIME: '60000' });
    const guesser = await strict.client();
    const device = await strict.device();
    const guess = { ...KEYS, provisionDeviceKey: 'guessed' };
    for (let n = 0; n < 3; n++) expect(json(await post(guess, {}, guesser))).toEqual(['ACK 4.00', NOT_FOUND, 0]);
    const another = await strict.client();
    for (const payload of [guess, { deviceName: 'kept out', ...KEYS }]) {
      expect(await post(payload, {}, another)).toMatchObject({ kind: 'ACK 4.29', maxAge: 60, text: '' });
    }
    const path = `api/v1/${device.token}/telemetry`;
    expect((await another.ask({ method: 'POST', path, payload: '{"a":1}' })).kind).toBe('ACK 2.01');
    expect(strict.log.join('\n')).not.toMatch(/guessed|"ka"|"sa"/);
    await strict.stop();
  });
});
