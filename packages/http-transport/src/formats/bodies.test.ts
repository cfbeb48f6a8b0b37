import { once } from 'node:events';
import { type RecordLines, trustedValue } from '@tandem/core';
import fc from 'fast-check';
import { CBOR, hex, useSpeaker } from './testing/speaker';

const speaker = useSpeaker();
const { command, get, post, stored } = speaker;

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
      const socket = speaker.gateway.connect();
      const head = `POST /api/v1/${speaker.device.token}/telemetry HTTP/1.1\r\nHost: x\r\nContent-Type: ${CBOR}`;
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
    expect(await speaker.gateway.stored(speaker.device)).toEqual({
      'dev:t': { ts: 1_700_000_000_000, value: '23.0' },
      'dev:on': { ts: 1_700_000_001_000, value: 'true' },
    });
    const cbor = hex('82a300617802182a03f6'.replace('03f6', '').replace('82a3', '81a2'));
    expect(await post('/attributes', 'application/senml+cbor', cbor)).toMatchObject({ status: 200 });
    expect(await speaker.gateway.clientAttributes(speaker.device)).toEqual({ x: '42' });
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
    expect(await speaker.gateway.clientAttributes(speaker.device)).toEqual({});
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
    await expect(
      speaker.gateway.core.attributes.saveFromServer(speaker.device.id, 'SHARED', [entry]),
    ).rejects.toMatchObject(tooLarge);
    const lines = `1 {"b":${entry.value}}` as RecordLines;
    await expect(
      speaker.gateway.core.telemetry.saveFromServer(speaker.device.id, lines, undefined),
    ).rejects.toMatchObject(tooLarge);
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

it('takes a claim in CBOR, or nothing of it', async () => {
  const claim = hex('a2697365637265744b65796576616c75656a6475726174696f6e4d7319ea60');
  expect(await post('/claim', CBOR, claim)).toMatchObject({ status: 200 });
  const { claims } = speaker.gateway.core.state;
  const kept = await claims.get(speaker.device.id);
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
