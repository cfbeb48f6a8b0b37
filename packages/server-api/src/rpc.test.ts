import { systemRandom } from '@tandem/core';
import { type Answer, ServerUnderTest } from './testing/server-under-test';

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
const get = (path: string) => server.call('GET', path, { token });

/** The device polls once and gets what there is or comes. */
async function poll(): Promise<{ text: string; id: number }> {
  const session = await server.session(id);
  return new Promise((resolve, reject) => {
    server.core.rpcDelivery.openPoll(session, 600_000, (outcome) => {
      if (outcome.kind !== 'event') return reject(new Error(outcome.kind));
      outcome.event.settled(true);
      resolve({ text: outcome.event.body, id: JSON.parse(outcome.event.body).id });
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

  it('is refused when too many are open', async () => {
    const body = { method: 'm', persistent: true };
    for (let i = 0; i < 3; i++) expect((await send('/api/rpc/oneway', body)).status).toBe(200);
    const answer = await send('/api/rpc/oneway', body);
    expect(answer.json()).toMatchObject({ status: 429, errorCode: 33 });
  });
});

describe('a persistent command', () => {
  const persist = async (body: object = {}) =>
    (await send('/api/rpc/twoway', { method: 'm', persistent: true, ...body })).json<{ rpcId: string }>();

  it('is answered at once with its id and can be followed', async () => {
    const requestUUID = systemRandom.uuid();
    const body = `{"method":"m","params":{"x":42.0},"persistent":true,"retries":2,"additionalInfo":{"y":1.0},"requestUUID":"${requestUUID.toUpperCase()}"}`;
    expect((await send('/api/rpc/twoway', body)).json()).toEqual({ rpcId: requestUUID });
    const { text } = await get(`/api/rpc/persistent/${requestUUID}`);
    const { tenantId } = await server.session(id);
    const tenant = { entityType: 'TENANT', id: tenantId };
    const device = { entityType: 'DEVICE', id };
    const expirationTime = server.clock.now() + 10_000;
    expect(JSON.parse(text)).toEqual({
      id: { entityType: 'RPC', id: requestUUID },
      createdTime: server.clock.now(),
      tenantId: tenant,
      deviceId: device,
      expirationTime,
      request: {
        id: requestUUID,
        tenantId: tenant,
        deviceId: device,
        oneway: false,
        expirationTime,
        body: { method: 'm', params: '{"x":42.0}' },
        persisted: true,
        retries: 2,
        additionalInfo: '{"y":1.0}',
      },
      response: null,
      status: 'QUEUED',
      additionalInfo: { y: 1 },
    });
    expect(text).toContain('"additionalInfo":{"y":1.0}');
    await reply((await poll()).id, '{"done":1.0}');
    const answered = await get(`/api/rpc/persistent/${requestUUID}`);
    expect(answered.json()).toMatchObject({ status: 'SUCCESSFUL' });
    expect(answered.text).toContain('"response":{"done":1.0}');
  });

  it('shows a reply that is no JSON as a string', async () => {
    const { rpcId } = await persist();
    await reply((await poll()).id, 'plain');
    expect((await get(`/api/rpc/persistent/${rpcId}`)).json()).toMatchObject({ response: 'plain' });
  });

  it('cannot take the id of another', async () => {
    const { rpcId } = await persist();
    const answer = await send('/api/rpc/oneway', { method: 'm', requestUUID: rpcId });
    expect([answer.status, answer.text]).toEqual([400, 'A request with this requestUUID exists']);
  });

  it('is gone after its deletion, and no device gets it any more', async () => {
    const { rpcId } = await persist();
    const path = `/api/rpc/persistent/${rpcId}`;
    expect((await server.call('DELETE', path, { token })).status).toBe(200);
    expect((await get(path)).json()).toMatchObject({ status: 404, errorCode: 32 });
    expect((await server.call('DELETE', path, { token })).status).toBe(404);
    expect(await server.core.state.rpcs.open(id, server.clock.now())).toEqual([]);
  });

  it('is listed with its device, by status', async () => {
    const [first, second] = [await persist(), await persist({ method: 'n' })];
    await reply((await poll()).id, '{}');
    interface Page {
      data: Array<{ id: { id: string } }>;
      totalElements: number;
    }
    const list = async (query: string) =>
      (await get(`/api/rpc/persistent/device/${id}?pageSize=2147483647&page=0${query}`)).json<Page>();
    const ids = ({ data }: Page) => data.map((rpc) => rpc.id.id).sort();
    expect(ids(await list(''))).toEqual([first.rpcId, second.rpcId].sort());
    expect(ids(await list('&rpcStatus=SUCCESSFUL'))).toEqual([first.rpcId]);
    expect(ids(await list('&rpcStatus=QUEUED'))).toEqual([second.rpcId]);
    expect(await list('&rpcStatus=DELETED')).toMatchObject({ status: 400 });
  });

  it('is the only kind that can be followed', async () => {
    const requestUUID = systemRandom.uuid();
    const answer = send('/api/rpc/oneway', { method: 'm', requestUUID });
    await server.clock.timerOf(WAIT);
    expect((await get(`/api/rpc/persistent/${requestUUID}`)).status).toBe(404);
    server.clock.advance(WAIT);
    await answer;
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
