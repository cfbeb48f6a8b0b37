import { bare, coap, expectResponse } from './framework/coap-vector';
import { IMPATIENT } from './framework/settings';
import type { Vector } from './framework/vector';

const A1 = '{"a":1}';
const TELEMETRY = 'POST /api/v1/tok1/telemetry';
const RPC = 'POST /api/v1/tok1/rpc';
const CREATED = bare('ACK 2.01');
const BAD = bare('ACK 4.00');
const UNKNOWN = bare('ACK 4.01');
const NOT_FOUND = bare('ACK 4.04');
const NOT_ALLOWED = bare('ACK 4.05');
const STORED = { ...CREATED, stored: { tok1: ['a LONG 1'] } } as const;
const JSON_FORMAT = 50;

const CLIENT = {
  attribute1: 'value1',
  attribute2: true,
  attribute3: 42,
  attribute4: 73,
  attribute5: { someNumber: 42 },
};
const ALL = { client: CLIENT, shared: { shared1: 'v', shared2: 7 } };

/** Blocks of 1024 bytes. @param more whether others follow */
const block1 = (number: number, more: boolean): number => (number << 4) | (more ? 8 : 0) | 6;

/** A telemetry object of 3000 bytes. */
const LONG_BODY = `{"a":"${'x'.repeat(2_992)}"}`;

/** The server logic answers with a second's delay, or at once. */
const late = (params: unknown) => JSON.stringify({ method: 'late', params });
const quick = (params: unknown) => JSON.stringify({ method: 'askTime', params });

/** Contract 8.10. */
export const COAP_REQUESTS: readonly Vector[] = [
  coap('246', TELEMETRY, { says: `CON ${TELEMETRY} ${A1}`, payload: A1 }, STORED),
  coap(
    '247',
    TELEMETRY,
    { says: `NON ${TELEMETRY} ${A1}`, payload: A1, confirmable: false },
    { ...STORED, kind: 'NON 2.01' },
  ),
  coap('248', 'POST /api/v1/tok1/TELEMETRY', { payload: A1 }, STORED),
  {
    no: '249',
    says: `one Uri-Path option api/v1/tok1/telemetry`,
    async run(scene) {
      const { token } = await scene.device('tok1');
      const client = await scene.coap();
      const path = [`api/v1/${token}/telemetry`];
      expectResponse(await client.ask({ method: 'POST', path, payload: A1 }), CREATED);
      expect(await scene.stored('tok1')).toEqual(['a LONG 1']);
    },
  },
  coap('250', 'POST /api/v1/nope/telemetry', { payload: A1 }, UNKNOWN),
  coap('251', 'POST /api/v1/tok1/foo', { payload: '{}' }, BAD),
  coap('252', 'POST /api/v1/nope/foo', { payload: '{}' }, BAD),
  coap('253', 'POST /api/v1/telemetry', { payload: A1 }, UNKNOWN),
  coap('254', 'POST /xyz', {}, NOT_FOUND),
  coap('255', 'GET /api/v1/tok1/telemetry', {}, BAD),
  coap('256', 'GET /api/v1/tok1/rpc', { says: 'GET /api/v1/tok1/rpc without Observe' }, BAD),
  coap('257', 'PUT /api/v1/tok1/telemetry', { payload: A1 }, { ...NOT_ALLOWED, stored: { tok1: [] } }),
  coap('258', 'DELETE /api/v1/tok1/attributes', {}, NOT_ALLOWED),
  coap('259', TELEMETRY, { says: `${TELEMETRY}, empty payload` }, BAD),
  coap(
    '260',
    'POST /api/v1/tok1/attributes',
    { says: `POST /api/v1/tok1/attributes ${A1}, Content-Format 0`, payload: A1, contentFormat: 0 },
    { ...CREATED, attributes: { tok1: ['a LONG 1'] } },
  ),
  coap(
    '261',
    'POST /api/v1/tokL/telemetry',
    { says: `POST /api/v1/tokL/telemetry ${A1} (LWM2M profile)`, payload: A1 },
    { ...bare('ACK 5.00'), stored: { tokL: [] } },
  ),
  coap('262', 'GET /api/v1/tokA/attributes', {}, { kind: 'ACK 2.05', format: JSON_FORMAT, json: ALL }),
  coap(
    '263',
    'GET /api/v1/tokA/attributes?clientKeys=attribute1',
    {},
    { kind: 'ACK 2.05', format: JSON_FORMAT, text: '{"client":{"attribute1":"value1"}}' },
  ),
  coap('264', 'GET /api/v1/tokA/attributes?clientKeys=zzz', {}, { kind: 'ACK 4.04', text: '' }),
  coap(
    '265',
    'GET /api/v1/tok1/attributes',
    { says: 'GET /api/v1/tok1/attributes (none)' },
    { kind: 'ACK 4.04', text: '' },
  ),
  coap(
    '266',
    'GET /api/v1/tokA/attributes?clientKeys=',
    { says: 'GET /api/v1/tokA/attributes?clientKeys= (no value)' },
    { kind: 'ACK 2.05', format: JSON_FORMAT, json: ALL },
  ),
  {
    no: '267',
    says: `${RPC} {"method":"getTime","params":{}}, logic replies {"time":"x"}`,
    sideBySide: true,
    async run(scene) {
      // The gateway tells the time itself, and asks the server logic for the rest.
      expectResponse(await scene.ask(RPC, '{"method":"getTime","params":{}}'), {
        kind: 'ACK 2.05',
        format: JSON_FORMAT,
        json: { time: expect.any(String) },
      });
      const answer = await scene.ask(RPC, quick({}));
      expectResponse(answer, { kind: 'ACK 2.05', format: JSON_FORMAT, text: '{"time":"x"}' });
    },
  },
  {
    no: '268',
    says: `${RPC} {"method":"getTime"} (params null)`,
    sideBySide: true,
    async run(scene) {
      expectResponse(await scene.ask(RPC, '{"method":"getTime"}'), { kind: 'ACK 2.05', format: JSON_FORMAT });
      const method = scene.local('askTime');
      expectResponse(await scene.ask(RPC, JSON.stringify({ method })), { kind: 'ACK 2.05', text: '{"time":"x"}' });
      expect(scene.world.logic.calls.find((call) => call.method === method)?.params).toBeNull();
    },
  },
  coap('269', RPC, { payload: '{"params":{}}' }, BAD),
  coap('270', `${RPC}/0`, { payload: '{"result":"ok"}' }, CREATED),
  coap('271', `${RPC}/0`, { payload: '5' }, BAD),
  coap('272', `${RPC}/77`, { says: `${RPC}/77 {} (unknown id)`, payload: '{}' }, CREATED),
  {
    no: '273',
    says: 'POST telemetry of 3000 bytes by Block1, 1024-byte blocks',
    sideBySide: true,
    async run(scene) {
      const blocks = [0, 1, 2].map((number) => LONG_BODY.slice(number * 1024, (number + 1) * 1024));
      expect(LONG_BODY).toHaveLength(3_000);
      for (const [number, payload] of blocks.entries()) {
        const more = number < 2;
        const answer = await scene.ask(TELEMETRY, payload, { block1: block1(number, more) });
        expect(answer).toMatchObject({ kind: more ? 'ACK 2.31' : 'ACK 2.01', text: '', block1: block1(number, more) });
      }
      expect(await scene.stored('tok1')).toEqual([`a STRING "${'x'.repeat(2_992)}"`]);
    },
  },
  {
    no: '274',
    says: 'Block1 number 0 then number 2',
    sideBySide: true,
    async run(scene) {
      const first = await scene.ask(TELEMETRY, LONG_BODY.slice(0, 1024), { block1: block1(0, true) });
      expect(first).toMatchObject({ kind: 'ACK 2.31' });
      const third = await scene.ask(TELEMETRY, LONG_BODY.slice(2048), { block1: block1(2, false) });
      expect(third).toMatchObject({ kind: 'ACK 4.08', text: '' });
      expect(await scene.stored('tok1')).toEqual([]);
    },
  },
  {
    no: '275',
    says: 'the same CON message id sent twice',
    sideBySide: true,
    async run(scene) {
      const client = await scene.coap();
      const mark = scene.local('twice');
      const datagram = client.send(await scene.request(RPC, quick(mark)));
      const first = await client.next();
      expectResponse(first, { kind: 'ACK 2.05', text: '{"time":"x"}' });
      client.sendRaw(datagram);
      expect(await client.next()).toEqual(first);
      expect(await client.rest()).toEqual([]);
      expect(scene.world.logic.calls.filter(({ params }) => params === mark)).toHaveLength(1);
    },
  },
  {
    no: '276',
    says: 'CON request whose answer takes 1 s',
    settings: IMPATIENT,
    async run(scene) {
      const client = await scene.coap();
      client.acknowledges = false;
      const request = await scene.request(RPC, late({}), { token: Buffer.from('7e', 'hex'), messageId: 0x4711 });
      const began = performance.now();
      client.send(request);
      expect(await client.next()).toMatchObject({ kind: 'ACK 0.00', messageId: 0x4711, token: '', text: '' });
      const acknowledged = performance.now() - began;
      const response = await client.next();
      const answered = performance.now() - began;
      expect(response).toMatchObject({ kind: 'CON 2.05', token: '7e', text: '{"time":"x"}', format: JSON_FORMAT });
      client.acknowledge(response);
      // On a busy machine it may have been repeated before the acknowledgement was read.
      expect((await client.rest()).filter(({ messageId }) => messageId !== response.messageId)).toEqual([]);
      expect(acknowledged).toBeGreaterThan(450);
      expect(answered).toBeGreaterThan(950);
    },
  },
  {
    no: '277',
    says: 'CON request whose answer is quick',
    sideBySide: true,
    async run(scene) {
      const client = await scene.coap();
      client.send(await scene.request(RPC, quick({}), { token: Buffer.from('7f', 'hex'), messageId: 0x4712 }));
      const response = await client.next();
      expect(response).toMatchObject({ kind: 'ACK 2.05', token: '7f', messageId: 0x4712, text: '{"time":"x"}' });
      expect(await client.rest()).toEqual([]);
    },
  },
];
