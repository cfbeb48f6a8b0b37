import { EMPTY, expectAnswer, http } from './framework/http-vector';
import { ONE_MESSAGE } from './framework/settings';
import type { Vector } from './framework/vector';

const A1 = '{"a":1}';
const STORED = { status: 200, ...EMPTY, stored: { tok1: ['a LONG 1'] } } as const;
const UNKNOWN = { status: 401, ...EMPTY } as const;
const BAD = { status: 400, errorJson: true } as const;

const posted = (no: string, contentType: string) =>
  http(
    no,
    'POST /tok1/telemetry',
    {
      says: `POST /tok1/telemetry ${A1} with Content-Type ${contentType}`,
      body: A1,
      headers: { 'Content-Type': contentType },
    },
    STORED,
  );

/** A length is announced, and no byte of it sent: what is too long is refused unread. */
const announced = (no: string, line: string, length: number, limit: number) =>
  http(
    no,
    line,
    { says: `${line} with Content-Length ${length}`, headers: { 'Content-Length': length } },
    {
      status: 413,
      text: `"Payload size exceeds the limit of ${limit} bytes"`,
      headers: { 'content-type': expect.stringMatching(/^application\/json/) },
    },
  );

/** The device's one message of the minute is used up, of each kind. */
const limited = (no: string, line: string, body?: string): Vector => ({
  no,
  says: `${line} ${body ?? ''} when the device's message limit 1:60 is used up`,
  settings: ONE_MESSAGE,
  async run(scene) {
    expectAnswer(await scene.http('POST /tok1/telemetry', A1), { status: 200, ...EMPTY });
    expectAnswer(await scene.http('GET /tok1/attributes'), { status: 200 });
    expectAnswer(await scene.http(line, body), { status: 429 });
  },
});

const allow = (...methods: string[]) => ({
  allow: expect.stringMatching(methods.map((method) => `(?=.*\\b${method}\\b)`).join('')),
});

/** Contract 8.1. */
export const HTTP_BASICS: readonly Vector[] = [
  posted('001', 'application/json'),
  http('002', 'POST /tok1/telemetry', { says: `POST /tok1/telemetry ${A1} without Content-Type`, body: A1 }, STORED),
  posted('003', 'text/plain'),
  posted('004', 'application/x-www-form-urlencoded'),
  http('005', 'POST /nope/telemetry', { body: A1 }, UNKNOWN),
  http('006', 'POST /nope/telemetry', { body: '{bad' }, UNKNOWN),
  http('007', 'POST /nope/telemetry', { says: 'POST /nope/telemetry with no body' }, BAD),
  http('008', 'POST /tok1/telemetry', { says: 'POST /tok1/telemetry with no body' }, BAD),
  {
    no: '009',
    says: `POST /TOK1/telemetry ${A1} (case changed)`,
    async run(scene) {
      const { token } = await scene.device('tok1');
      expectAnswer(await scene.http(`POST /${token.toUpperCase()}/telemetry`, A1), UNKNOWN);
      expect(await scene.stored('tok1')).toEqual([]);
    },
  },
  http('010', 'POST /mqttuser/telemetry', { body: A1 }, UNKNOWN),
  http('011', 'GET /tok1/nothing', {}, { status: 404 }),
  http('012', 'PUT /tok1/telemetry', { body: A1 }, { status: 405, headers: allow('POST') }),
  http('013', 'GET /tok1/telemetry', {}, { status: 405 }),
  http('014', 'DELETE /tok1/attributes', {}, { status: 405, headers: allow('GET', 'POST') }),
  http('015', 'POST /tok1/attributes/updates', { body: '{}' }, { status: 405 }),
  http('016', 'GET /tok1/rpc?timeout=abc', {}, BAD),
  http('017', 'GET /tok1/attributes/updates?timeout=1.5', {}, BAD),
  http('018', 'POST /tok1/rpc/abc', { body: '{}' }, BAD),
  http('019', 'POST /tok1/rpc/2147483648', { body: '{}' }, BAD),
  {
    no: '020',
    says: 'error JSON of any 404',
    async run(scene) {
      for (const line of ['GET /tok1/nothing', 'POST /nope/nothing', 'GET /tok1/rpc/1/more']) {
        expectAnswer(await scene.http(line), { status: 404, errorJson: true });
      }
    },
  },
  {
    no: '021',
    says: 'any request with header Origin',
    async run(scene) {
      const headers = { Origin: 'https://example.org' };
      for (const line of ['GET /tok1/attributes', 'GET /nope/attributes', 'GET /tok1/nothing']) {
        const answer = await scene.http(line, undefined, { headers });
        expect(['*', headers.Origin]).toContain(answer.headers['access-control-allow-origin']);
      }
    },
  },
  http('022', 'POST /tokL/telemetry', { body: A1 }, { status: 200, ...EMPTY, stored: { tokL: ['a LONG 1'] } }),
  http('023', 'POST /tokP/telemetry', { body: A1 }, { status: 200, ...EMPTY, stored: { tokP: ['a LONG 1'] } }),
  announced('024', 'POST /tok1/rpc', 65_537, 65_536),
  http(
    '025',
    'POST /tok1/rpc/1',
    { says: 'POST /tok1/rpc/1 with a body of exactly 65536 bytes', body: `"${'x'.repeat(65_534)}"` },
    { status: 200, ...EMPTY },
  ),
  announced('026', 'POST /nope/rpc/1', 65_537, 65_536),
  announced('027', 'POST /tok1/telemetry', 52_428_801, 52_428_800),
  http(
    '028',
    'POST /tok1/telemetry',
    { says: 'POST /tok1/telemetry, valid object of 70000 bytes', body: `{"a":"${'x'.repeat(69_992)}"}` },
    { status: 200, ...EMPTY, stored: { tok1: [`a STRING "${'x'.repeat(69_992)}"`] } },
  ),
  limited('029', 'POST /tok1/telemetry', A1),
  limited('030', 'GET /tok1/rpc'),
];
