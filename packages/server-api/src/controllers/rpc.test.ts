import { type AnswerFormat, systemRandom, TandemError } from '@tandem/core';
import { type Answer, ServerUnderTest } from '../testing/server-under-test';

let server: ServerUnderTest;
let token: string;
let id: string;
let count = 0;
beforeAll(async () => {
  server = await ServerUnderTest.start();
  token = (await server.login()).token;
});
beforeEach(async () => {
  id = await server.createDevice(token, `device ${++count}`);
});
afterAll(() => server.stop());

/** The default life of a command, and the second its caller waits longer. */
const WAIT = 11_000;

const send = (path: string, body: object | string, signal?: AbortSignal): Promise<Answer> =>
  server.call('POST', `${path}/${id}`, { token, body, signal });

/** The device polls once and gets what there is or comes. */
async function poll(): Promise<{ text: string; id: number }> {
  const session = await server.session(id);
  return new Promise((resolve, reject) => {
    server.core.rpcDelivery.openPoll(session, 600_000, (outcome) => {
      if (outcome.kind !== 'event') return reject(new Error(outcome.kind));
      outcome.event.settled(true);
      const text = outcome.event.message.payload.toString();
      resolve({ text, id: JSON.parse(text).id });
    });
  });
}

async function reply(requestId: number, body: string): Promise<void> {
  await server.core.rpcCalls.reply(await server.session(id), requestId, Buffer.from(body), 'any');
}

describe.each([
  ['/api/rpc', 504, 504],
  ['/api/plugins/rpc', 408, 409],
])('a command by %s', (base, timeoutStatus, noConnectionStatus) => {
  it('one way is answered 200 without a body once a device has it', async () => {
    const answer = send(`${base}/oneway`, { method: 'setGpio', params: { pin: '7', value: 1 } });
    expect((await poll()).text).toBe('{"id":0,"method":"setGpio","params":{"pin":"7","value":1}}');
    const { status, text } = await answer;
    expect([status, text]).toEqual([200, '']);
  });

  it('two ways gives back what the device said, with its own order and number texts', async () => {
    const answer = send(`${base}/twoway`, { method: 'read' });
    await reply((await poll()).id, ' { "z" : 42.0, "10": 1, "a": 9007199254740993 } ');
    const { status, text, headers } = await answer;
    expect([status, text]).toEqual([200, '{"z":42.0,"10":1,"a":9007199254740993}']);
    expect(headers.get('content-type')).toMatch(/^application\/json/);
  });

  it('two ways is answered 200 without a body when the device said nothing', async () => {
    const answer = send(`${base}/twoway`, { method: 'read' });
    await reply((await poll()).id, '');
    const { status, text } = await answer;
    expect([status, text]).toEqual([200, '']);
  });

  it('two ways is answered 406 when the device said no JSON', async () => {
    const answer = send(`${base}/twoway`, { method: 'read' });
    await reply((await poll()).id, 'not json');
    const { status, text } = await answer;
    expect([status, text]).toEqual([406, '']);
  });

  it.each(['oneway', 'twoway'])('%s that nobody fetches is refused after its whole life', async (way) => {
    const answer = send(`${base}/${way}`, { method: 'read' });
    await server.clock.timerOf(WAIT);
    server.clock.advance(WAIT);
    const { status, text } = await answer;
    expect([status, text]).toEqual([noConnectionStatus, '']);
  });

  it.each(['oneway', 'twoway'])(
    '%s that the device’s format cannot say is answered as a time-out, with the reason',
    async (way) => {
      const speechless: AnswerFormat = {
        current: () =>
          Object.assign(Object.create(server.core.formats.json), {
            write() {
              throw new TandemError('UNDELIVERABLE', { message: 'no way to say it' });
            },
          }),
      };
      const observer = { news() {}, end() {} };
      const observation = await server.core.rpcDelivery.observe(await server.session(id), observer, speechless);
      const answer = send(`${base}/${way}`, { method: 'read' });
      await server.clock.timerOf(WAIT);
      expect(await observation.next()).toBeUndefined();
      const { status, text, headers } = await answer;
      expect([status, text]).toEqual([timeoutStatus, '{"error":"no way to say it"}']);
      expect(headers.get('content-type')).toMatch(/^application\/json/);
    },
  );

  it('two ways that is fetched and not answered times out', async () => {
    const answer = send(`${base}/twoway`, { method: 'read' });
    await server.clock.timerOf(WAIT);
    await poll();
    await delivered();
    server.clock.advance(WAIT);
    const { status, text } = await answer;
    expect([status, text]).toEqual([timeoutStatus, '']);
  });

  it.each(['oneway', 'twoway'])('%s is answered at once when its device is deleted', async (way) => {
    const answer = send(`${base}/${way}`, { method: 'read' });
    await server.clock.timerOf(WAIT);
    expect((await server.call('DELETE', `/api/device/${id}`, { token })).status).toBe(200);
    const { status, text } = await answer;
    expect([status, text]).toEqual([404, "Device with requested id wasn't found!"]);
  });

  it.each(['oneway', 'twoway'])('%s times out at once when only the command is deleted', async (way) => {
    const requestUUID = systemRandom.uuid();
    const answer = send(`${base}/${way}`, { method: 'read', requestUUID });
    await server.clock.timerOf(WAIT);
    await server.core.state.rpcs.remove(requestUUID);
    const { status, text } = await answer;
    expect([status, text]).toEqual([timeoutStatus, '']);
  });

  it.each(['-1', '-9223372036854775808'])('with the time-out %s has the shortest life', async (timeout) => {
    const answer = send(`${base}/twoway`, `{"method":"m","timeout":${timeout}}`);
    await server.clock.timerOf(6_000);
    server.clock.advance(6_000);
    expect((await answer).status).toBe(noConnectionStatus);
  });

  it.each([
    ['no JSON', '{"method":', 'Invalid request body'],
    ['lenient JSON', '{method:"m"}', 'Invalid request body'],
    ['nothing', '', 'Invalid request body'],
    ['an array', '[]', 'Invalid request body'],
    ['a bad requestUUID', '{"method":"m","requestUUID":"1"}', 'Invalid request body'],
    ['no method', '{"params":{}}', "body must have required property 'method'"],
    ['a method that is no text', '{"method":5}', 'body.method must be string'],
    ['an empty method', '{"method":""}', 'body.method must NOT have fewer than 1 characters'],
    ['a timeout that is no number', '{"method":"m","timeout":"5"}', 'body.timeout must be integer'],
    ['a life beyond any timer', '{"method":"m","timeout":2147483647}', 'Only a persistent request can live longer'],
  ])('with %s is refused by a JSON error', async (_case, body, message) => {
    const answer = await send(`${base}/oneway`, body);
    expect(Object.keys(answer.json())).toEqual(['status', 'message', 'errorCode', 'timestamp']);
    expect(answer.json()).toMatchObject({ status: 400, errorCode: 31, message: expect.stringContaining(message) });
  });

  it('to a device that is not there is refused in bare text', async () => {
    id = systemRandom.uuid();
    const answer = await send(`${base}/twoway`, { method: 'm' });
    expect([answer.status, answer.text]).toEqual([404, "Device with requested id wasn't found!"]);
  });
});

/** Resolves when the one command of the device counts as delivered. */
async function delivered(): Promise<void> {
  for (;;) {
    const woken = new Promise<void>((resolve) => {
      const unwatch = server.core.state.events.watch(id, () => {
        unwatch();
        resolve();
      });
    });
    const open = await server.core.state.rpcs.open(id, server.clock.now());
    if (open.every(({ status }) => status === 'DELIVERED')) return;
    await woken;
  }
}

describe('a command', () => {
  it.each([
    [
      '{"method":"m","params":{"b":42.0,"a":[1.50,9007199254740993],"1":null}}',
      '{"b":42.0,"a":[1.50,9007199254740993],"1":null}',
    ],
    ['{"method":"m","params":"text"}', '"text"'],
    ['{"method":"m","params":0}', '0'],
    ['{"method":"m","params":null}', 'null'],
    ['{"method":"m"}', 'null'],
  ])('%s reaches the device with its parameters as written', async (body, params) => {
    const answer = send('/api/rpc/oneway', body);
    expect((await poll()).text).toBe(`{"id":0,"method":"m","params":${params}}`);
    expect((await answer).status).toBe(200);
  });

  it('lives as long as it is told to, but not less than the shortest life', async () => {
    const answer = send('/api/rpc/oneway', { method: 'm', timeout: 1 });
    await server.clock.timerOf(6_000);
    server.clock.advance(6_000);
    expect((await answer).status).toBe(504);
    const long = send('/api/rpc/oneway', { method: 'm', timeout: 1, expirationTime: server.clock.now() + 70_000 });
    await server.clock.timerOf(71_000);
    server.clock.advance(71_000);
    expect((await long).status).toBe(504);
  });

  it('is no longer waited for when its caller has gone', async () => {
    const caller = new AbortController();
    const answer = send('/api/rpc/twoway', { method: 'm', timeout: 123_000 }, caller.signal);
    await server.clock.timerOf(124_000);
    caller.abort();
    await expect(answer).rejects.toThrow();
    await server.clock.noTimerOf(124_000);
  });

  it('that is over before it begins is refused as one that nobody fetched', async () => {
    const answer = send('/api/rpc/twoway', { method: 'm', expirationTime: server.clock.now() - 5_000 });
    await server.clock.timerOf(-4_000);
    server.clock.advance(0);
    expect((await answer).status).toBe(504);
  });

  it('of whose id there is another is refused, also while both are on their way', async () => {
    const requestUUID = systemRandom.uuid();
    const bodies = ['a', 'b', 'c'].map((method) => ({ method, persistent: true, requestUUID }));
    const answers = await Promise.all(bodies.map((body) => send('/api/rpc/oneway', body)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400]);
    for (const { status, text } of answers) {
      if (status === 400) expect(text).toBe('A request with this requestUUID exists');
    }
  });

  it.each([
    ['an empty one', ''],
    ['a number', 5],
    ['too short a one', '7f1d2f10-0000-4000-8000-00000000001'],
    ['one with blanks', ' 7f1d2f10-0000-4000-8000-000000000001'],
  ])('with a requestUUID that is none (%s) is refused', async (_what, requestUUID) => {
    const answer = await send('/api/rpc/oneway', { method: 'm', requestUUID });
    expect(answer.json()).toMatchObject({ status: 400, errorCode: 31, message: 'Invalid request body' });
  });

  it('with requestUUID null gets one of its own', async () => {
    const answer = await send('/api/rpc/oneway', { method: 'm', persistent: true, requestUUID: null });
    expect(answer.json()).toEqual({ rpcId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
  });

  it('goes to all that wait for it, and its caller has the first answer', async () => {
    const polls = [poll(), poll()];
    const answer = send('/api/rpc/twoway', { method: 'm' });
    const [one, other] = await Promise.all(polls);
    expect(one?.id).toBe(other?.id);
    await reply(one?.id ?? -1, '"first"');
    await reply(one?.id ?? -1, '"second"');
    expect((await answer).text).toBe('"first"');
  });

  it('is refused when too many are open', async () => {
    const body = { method: 'm', persistent: true };
    for (let i = 0; i < 3; i++) expect((await send('/api/rpc/oneway', body)).status).toBe(200);
    const answer = await send('/api/rpc/oneway', body);
    expect(answer.json()).toMatchObject({ status: 429, errorCode: 33 });
  });
});

it('ends waiting calls with 503, a time to retry and their connection when the server API closes, and refuses new ones', async () => {
  const own = await ServerUnderTest.start();
  try {
    const session = await own.login();
    const deviceId = await own.createDevice(session.token, 'closing');
    const call = () => own.call('POST', `/api/rpc/twoway/${deviceId}`, { token: session.token, body: { method: 'm' } });
    const answer = call();
    await own.clock.timerOf(WAIT);
    await own.api.close(60_000);
    for (const { status, headers } of [await answer, await call()]) {
      expect([status, headers.get('retry-after'), headers.get('connection')]).toEqual([503, '1', 'close']);
    }
  } finally {
    await own.stop();
  }
});
