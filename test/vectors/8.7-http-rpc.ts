import { setTimeout as delay } from 'node:timers/promises';
import { EMPTY, expectAnswer, http } from './framework/http-vector';
import type { Scene } from './framework/scene';
import { BRIEF } from './framework/settings';
import type { Vector } from './framework/vector';

const OK = { status: 200, ...EMPTY } as const;
const EXPIRED = { status: 408, ...EMPTY } as const;
/** Longer than a busy machine takes, so that what is answered before is not the time-out. */
const LONG = 20_000;
const GPIO = { method: 'setGpio', params: { pin: '23', value: 1 }, timeout: LONG };

const poll = (scene: Scene, timeout = LONG) => scene.http(`GET /tok1/rpc?timeout=${timeout}`);
const openPoll = (scene: Scene) => scene.poll(`/tok1/rpc?timeout=${LONG}`);
const reply = (scene: Scene, id: number, body = '{"result":"ok"}') => scene.http(`POST /tok1/rpc/${id}`, body);

/** A two-way command that a poll takes and the device answers. @returns what the device was given */
async function answered(scene: Scene, body: object): Promise<string> {
  const { answer: given } = await openPoll(scene);
  const answer = scene.command('twoway', 'tok1', { timeout: LONG, ...body });
  const { text } = await given;
  expectAnswer(await reply(scene, (JSON.parse(text) as { id: number }).id), OK);
  expect(await answer).toEqual({ status: 200, text: '{"result":"ok"}' });
  return text;
}

/** A two-way command that a poll has taken. */
async function delivered(scene: Scene) {
  const { answer: given } = await openPoll(scene);
  const answer = scene.command('twoway', 'tok1', GPIO);
  expectAnswer(await given, { status: 200, json: { id: 0, method: 'setGpio', params: GPIO.params } });
  return { answer };
}

/** Contract 8.7. */
export const HTTP_RPC: readonly Vector[] = [
  http('177', 'GET /tok1/rpc?timeout=500', {}, EXPIRED),
  {
    no: '178',
    says: 'poll open; server two-way RPC method setGpio params {"pin":"23","value":1}, first of the device',
    async run(scene) {
      expect(await answered(scene, GPIO)).toBe('{"id":0,"method":"setGpio","params":{"pin":"23","value":1}}');
    },
  },
  {
    no: '179',
    says: 'second RPC later',
    async run(scene) {
      await answered(scene, GPIO);
      expect(JSON.parse(await answered(scene, GPIO))).toMatchObject({ id: 1 });
    },
  },
  {
    no: '180',
    says: 'RPC with params null',
    async run(scene) {
      expect(await answered(scene, { method: 'm', params: null })).toContain('"params":null');
    },
  },
  {
    no: '181',
    says: 'RPC with params "on" / 5 / true / [1]',
    async run(scene) {
      for (const params of ['on', 5, true, [1]]) {
        const given = JSON.parse(await answered(scene, { method: 'm', params })) as { params: unknown };
        expect(given.params).toEqual(params);
      }
    },
  },
  {
    no: '182',
    says: 'RPC created with no poll; poll 2 s later (before expiry)',
    async run(scene) {
      const { answer } = await scene.created('twoway', 'tok1', GPIO);
      await delay(2_000);
      expectAnswer(await poll(scene), { status: 200, json: { id: 0, method: 'setGpio', params: GPIO.params } });
      expectAnswer(await reply(scene, 0), OK);
      expect((await answer).status).toBe(200);
    },
  },
  {
    no: '183',
    says: 'RPC created with no poll, expired; then poll timeout=500',
    settings: BRIEF,
    async run(scene) {
      expect((await scene.command('twoway', 'tok1', { ...GPIO, timeout: 200 })).status).toBe(504);
      expectAnswer(await poll(scene, 500), EXPIRED);
    },
  },
  {
    no: '184',
    says: 'two RPCs created with no poll; two polls one after the other',
    async run(scene) {
      const first = await scene.created('oneway', 'tok1', { ...GPIO, method: 'first' });
      const second = await scene.created('oneway', 'tok1', { ...GPIO, method: 'second' });
      expect(JSON.parse((await poll(scene)).text)).toMatchObject({ id: 0, method: 'first' });
      expect(JSON.parse((await poll(scene)).text)).toMatchObject({ id: 1, method: 'second' });
      for (const { answer } of [first, second]) expect((await answer).status).toBe(200);
    },
  },
  {
    no: '184',
    says: 'two-way: the second poll repeats the first id until answered',
    async run(scene) {
      const first = await scene.created('twoway', 'tok1', { ...GPIO, method: 'first' });
      const second = await scene.created('twoway', 'tok1', { ...GPIO, method: 'second' });
      for (let n = 0; n < 2; n++)
        expect(JSON.parse((await poll(scene)).text)).toMatchObject({ id: 0, method: 'first' });
      expectAnswer(await reply(scene, 0), OK);
      expect(JSON.parse((await poll(scene)).text)).toMatchObject({ id: 1, method: 'second' });
      expectAnswer(await reply(scene, 1), OK);
      for (const { answer } of [first, second]) expect((await answer).status).toBe(200);
    },
  },
  {
    no: '185',
    says: 'two-way RPC delivered, not answered, new poll before expiry',
    async run(scene) {
      const { answer } = await delivered(scene);
      expect(JSON.parse((await poll(scene)).text)).toMatchObject({ id: 0, method: 'setGpio' });
      expectAnswer(await reply(scene, 0), OK);
      expect((await answer).status).toBe(200);
    },
  },
  {
    no: '186',
    says: 'one-way RPC delivered, new poll timeout=500',
    async run(scene) {
      const { answer: given } = await openPoll(scene);
      expect(await scene.command('oneway', 'tok1', GPIO)).toEqual(OK);
      expectAnswer(await given, { status: 200 });
      expectAnswer(await poll(scene, 500), EXPIRED);
    },
  },
  {
    no: '187',
    says: 'POST /tok1/rpc/0 {"result":"ok"} for that RPC',
    async run(scene) {
      const { answer } = await delivered(scene);
      expectAnswer(await reply(scene, 0), OK);
      expect(await answer).toEqual({ status: 200, text: '{"result":"ok"}' });
    },
  },
  http('188', 'POST /tok1/rpc/999', { body: '{"result":"ok"}' }, OK),
  {
    no: '189',
    says: 'POST /tok1/rpc/0 twice',
    async run(scene) {
      const { answer } = await delivered(scene);
      expectAnswer(await reply(scene, 0), OK);
      expectAnswer(await reply(scene, 0, '{"result":"again"}'), OK);
      expect(await answer).toEqual({ status: 200, text: '{"result":"ok"}' });
    },
  },
  http('190', 'POST /tok1/rpc/0', { body: 'hello world' }, OK),
  http('191', 'POST /tok1/rpc/0', { says: 'POST /tok1/rpc/0, no body' }, { status: 400 }),
  http('192', 'POST /nope/rpc/0', { body: '{}' }, { status: 401, ...EMPTY }),
  http(
    '193',
    'POST /tok1/rpc',
    { says: 'POST /tok1/rpc {"method":"time","params":{}}, server logic replies {"time":"x"}', body: call('time') },
    { status: 200, text: '{"time":"x"}' },
  ),
  http(
    '193',
    'POST /tok1/rpc',
    { says: 'getTime is the server logic of the gateway itself', body: call('getTime') },
    { status: 200, json: { time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) } },
  ),
  http(
    '194',
    'POST /tok1/rpc',
    { says: 'same, server logic fails with text boom', body: call('boom') },
    { status: 200, text: '{"error":"boom"}' },
  ),
  http('195', 'POST /tok1/rpc', { body: '{"method":"getTime"}' }, { status: 400 }),
  http('196', 'POST /tok1/rpc', { body: '{"params":{}}' }, { status: 400 }),
  http('197', 'POST /tok1/rpc', { body: '{"method":"m","params":null}' }, { status: 200, text: '{"time":"x"}' }),
  http('198', 'POST /tok1/rpc', { body: '[]' }, { status: 400 }),
  http(
    '199',
    'POST /tok1/rpc',
    { says: 'client RPC without any reply', body: call('silent'), settings: BRIEF },
    EXPIRED,
  ),
];

function call(method: string): string {
  return JSON.stringify({ method, params: {} });
}
