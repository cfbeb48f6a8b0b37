import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CERTIFICATE, trimmed } from '@tandem/core/testing';
import type { RawClient, RawRequest, Received } from '../testing/raw-client';
import { TestGateway, type TestGatewayOptions } from '../testing/test-gateway';

const run = promisify(execFile);

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

/** The answers to a payload in blocks of so many bytes, 16 << exponent. */
async function inBlocks(from: RawClient, payload: string, exponent = 6): Promise<Received[]> {
  const bytes = Buffer.from(payload);
  const size = 16 << exponent;
  const answers: Received[] = [];
  for (let number = 0; number * size < bytes.length; number++) {
    const more = (number + 1) * size < bytes.length;
    const block1 = (number << 4) | (more ? 8 : 0) | exponent;
    answers.push(await post(bytes.subarray(number * size, (number + 1) * size), { block1 }, from));
    if (!answers.at(-1)?.kind.endsWith('2.31')) break;
  }
  return answers;
}
const kinds = (answers: readonly Received[]) => answers.map(({ kind }) => kind.slice(4));
const LONG = { ...KEYS, credentialsType: 'MQTT_BASIC', username: 'long', password: 'p'.repeat(2_500) };

describe('A request that is longer than a block', () => {
  it('is put together, and gets its certificate', async () => {
    const request = {
      deviceName: 'with a certificate',
      ...KEYS,
      credentialsType: 'X509_CERTIFICATE',
      hash: CERTIFICATE,
    };
    const answers = await inBlocks(client, JSON.stringify(request), 4);
    expect(new Set(kinds(answers.slice(0, -1)))).toEqual(new Set(['2.31']));
    const credentialsValue = trimmed(CERTIFICATE);
    expect(json(answers.at(-1) as Received)).toEqual([
      'ACK 2.01',
      { status: 'SUCCESS', credentialsType: 'X509_CERTIFICATE', credentialsValue },
      0,
    ]);
    expect(gateway.gauge('tandem_coap_stranger_upload_bytes')).toBe(0);
  });

  it('gets a long answer in blocks, as does nobody else, and is not run again for them', async () => {
    const owner = await gateway.client();
    const answers = await inBlocks(owner, JSON.stringify({ deviceName: 'long', ...LONG }));
    expect(kinds(answers)).toEqual(['2.31', '2.31', '2.01']);
    let text = answers.at(-1)?.text ?? '';
    for (let number = 1; text.length < 2_500; number++) {
      const more = await post('', { block2: (number << 4) | 6 }, owner);
      expect(more.kind).toBe('ACK 2.01');
      text += more.text;
    }
    expect(JSON.parse(text)).toMatchObject({ status: 'SUCCESS', credentialsValue: { password: LONG.password } });
    expect(await post('', { block2: (1 << 4) | 6 }, await gateway.client())).toMatchObject({
      kind: 'ACK 4.08',
      text: '',
    });
  });

  it('can be one of many from one peer, with answers that come meanwhile', async () => {
    const many = await gateway.client();
    const first = await post(
      '{"deviceName":"many 1","provisionDeviceKey":"ka","provisionDeviceSecret":"sa"}',
      {},
      many,
    );
    expect(first.kind).toBe('ACK 2.01');
    const answers = await inBlocks(many, JSON.stringify({ deviceName: 'many 2', ...LONG, username: 'many' }));
    expect(kinds(answers)).toEqual(['2.31', '2.31', '2.01']);
  });

  it('is told of a failure that is longer than three times its last block', async () => {
    const payload = JSON.stringify({ ...KEYS, provisionDeviceSecret: 'wrong' });
    const padded = payload.padEnd(Math.ceil(payload.length / 64) * 64 + 1);
    const answers = await inBlocks(await gateway.client(), padded, 2);
    expect(json(answers.at(-1) as Received)).toEqual(['ACK 4.00', NOT_FOUND, 0]);
  });

  it('is refused beyond what may be sent, in blocks or not', async () => {
    const small = await start({ TANDEM_PROVISION_MAX_BYTES: '1024' });
    const from = await small.client();
    const long = JSON.stringify({ deviceName: 'x'.repeat(1_100), ...KEYS });
    expect(kinds(await inBlocks(from, long))).toEqual(['2.31', '4.13']);
    expect((await post(long, {}, from)).kind).toBe('ACK 4.13');
    expect(small.gauge('tandem_coap_stranger_upload_bytes')).toBe(0);
    await small.stop();
  });

  it('that finds no room begins anew as it is told, and those of the same address that have room get through', async () => {
    // A quarter of it is for one address: three bodies of this length find no room at once.
    const narrow = await start({ TANDEM_COAP_STRANGER_BYTES: '65536' });
    const bodies = await Promise.all(
      [0, 1, 2].map(async (n) => ({
        from: await narrow.client(),
        bytes: Buffer.from(JSON.stringify({ deviceName: `d${n}`, ...KEYS, padding: 'x'.repeat(6_900) })),
        next: 0,
      })),
    );
    const send = async (body: (typeof bodies)[number]) => {
      const more = (body.next + 1) * 1_024 < body.bytes.length;
      const block = body.bytes.subarray(body.next * 1_024, (body.next + 1) * 1_024);
      const answer = await post(block, { block1: (body.next << 4) | (more ? 8 : 0) | 6 }, body.from);
      return answer.kind.slice(4);
    };
    const ends: string[] = [];
    const refusals: string[] = [];
    for (let round = 0; round < 40 && ends.length < 3; round++) {
      for (const body of bodies.filter(({ next }) => next >= 0)) {
        const code = await send(body);
        if (code === '2.31') body.next++;
        else if (code === '2.01') {
          ends.push(code);
          body.next = -1;
        } else {
          refusals.push(`${code} ${body.next === 0 ? 'at the first' : 'later'}`);
          body.next = 0;
        }
      }
    }
    expect(ends).toHaveLength(3);
    expect(refusals).toContain('4.08 later');
    for (const refusal of refusals) expect(['4.08 later', '5.03 at the first']).toContain(refusal);
    expect(narrow.gauge('tandem_coap_stranger_upload_bytes')).toBe(0);
    await narrow.stop();
  });

  it("is put together out of libcoap's blocks, and libcoap gets the whole answer", async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tandem-provision-'));
    const file = join(folder, 'request.json');
    await writeFile(file, JSON.stringify({ deviceName: 'libcoap', ...LONG, username: 'libcoap' }));
    const url = `coap://127.0.0.1:${gateway.transport.port}/${PATH}`;
    const { stdout } = await run('coap-client-notls', ['-B', '10', '-m', 'post', '-f', file, url]);
    await rm(folder, { recursive: true });
    expect(JSON.parse(stdout)).toMatchObject({ status: 'SUCCESS', credentialsValue: { password: LONG.password } });
  });
});

describe('A device that has to prove its address', () => {
  it('does so before it is provisioned, and then nothing of its answer is missing', async () => {
    const careful = await start({ COAP_ECHO: 'on' });
    const from = await careful.client();
    const before = from.datagrams.length;
    expect((await post({ deviceName: 'proved', ...KEYS }, {}, from)).kind).toBe('ACK 4.01');
    expect((await inBlocks(from, JSON.stringify(LONG)))[0]?.kind).toBe('ACK 4.01');
    const challenge = from.datagrams[before] ?? Buffer.alloc(0);
    const echo = challenge.subarray(-12);
    const answer = await post({ deviceName: 'proved', ...KEYS }, { echo }, from);
    expect(json(answer)).toMatchObject(['ACK 2.01', { status: 'SUCCESS' }, 0]);
    await careful.stop();
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
