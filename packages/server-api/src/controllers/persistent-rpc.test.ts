import { systemRandom } from '@tandem/core';
import { type Answer, ServerUnderTest } from '../testing/server-under-test';

let server: ServerUnderTest;
let token: string;
let id: string;
let count = 0;
beforeAll(async () => {
  server = await ServerUnderTest.start({ TANDEM_RPC_FINISHED_MAX: '5', TANDEM_RPC_TTL: '60' });
  token = (await server.login()).token;
});
beforeEach(async () => {
  id = await server.createDevice(token, `device ${++count}`);
});
afterAll(() => server.stop());

interface Page {
  readonly data: ReadonlyArray<{ readonly id: { readonly id: string }; readonly status: string }>;
  readonly totalPages: number;
  readonly totalElements: number;
  readonly hasNext: boolean;
}

const get = (path: string) => server.call('GET', path, { token });
const follow = async (rpcId: string) => (await get(`/api/rpc/persistent/${rpcId}`)).json<{ status: string }>();
const remove = (rpcId: string) => server.call('DELETE', `/api/rpc/persistent/${rpcId}`, { token });

async function persist(body: object = {}, way: 'oneway' | 'twoway' = 'twoway'): Promise<string> {
  const answer = await server.call('POST', `/api/rpc/${way}/${id}`, {
    token,
    body: { method: 'm', persistent: true, ...body },
  });
  return answer.json<{ rpcId: string }>().rpcId;
}

/** The device polls once and gets what there is. */
async function poll(): Promise<{ id: number; method: string }> {
  const session = await server.session(id);
  return new Promise((resolve, reject) => {
    server.core.rpcDelivery.openPoll(session, 600_000, (outcome) => {
      if (outcome.kind !== 'event') return reject(new Error(outcome.kind));
      outcome.event.settled(true);
      resolve(JSON.parse(outcome.event.message.payload.toString()));
    });
  });
}

async function reply(requestId: number, body: string): Promise<void> {
  await server.core.rpcCalls.reply(await server.session(id), requestId, Buffer.from(body), 'any');
}

/** Resolves when what the device's side has done is in the store. */
async function settled(rpcId: string, status: string): Promise<void> {
  while ((await server.core.state.rpcs.get(rpcId))?.status !== status) await server.core.state.ping();
}

const list = (query = ''): Promise<Answer> => get(`/api/rpc/persistent/device/${id}?pageSize=10&page=0${query}`);
const listed = async (query = '') => (await list(query)).json<Page>().data.map((rpc) => rpc.id.id);

describe('A persistent command', () => {
  it('is answered at once with its id and can be followed', async () => {
    const requestUUID = systemRandom.uuid();
    const body = `{"method":"m","params":{"x":42.0},"persistent":true,"retries":2,"additionalInfo":{"y":1.0},"requestUUID":"${requestUUID.toUpperCase()}"}`;
    const sent = await server.call('POST', `/api/rpc/twoway/${id}`, { token, body });
    expect(sent.json()).toEqual({ rpcId: requestUUID });
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

  it.each(['null', '"text"', '5', '1.50', 'true', '[1,{"a":2.0}]', '{}'])(
    'keeps additionalInfo %s as it is',
    async (info) => {
      const body = `{"method":"m","persistent":true,"additionalInfo":${info}}`;
      const { rpcId } = (await server.call('POST', `/api/rpc/twoway/${id}`, { token, body })).json<{ rpcId: string }>();
      const { text } = await get(`/api/rpc/persistent/${rpcId}`);
      expect(text).toMatch(new RegExp(`"additionalInfo":${info.replace(/[[\]{}.]/g, '\\$&')}}$`));
      expect(JSON.parse(text).request.additionalInfo).toBe(info === 'null' ? null : info);
    },
  );

  it('one way is done, without a response, once the device has it, and stays so beyond its life', async () => {
    const rpcId = await persist({ timeout: 5_000 }, 'oneway');
    await poll();
    await settled(rpcId, 'DELIVERED');
    server.clock.advance(7_001);
    await server.core.rpcCalls.sweep(100);
    expect(await follow(rpcId)).toMatchObject({ status: 'DELIVERED', response: null });
  });

  it.each([
    ['fetched by nobody', async () => {}, 'QUEUED'],
    ['not answered', poll, 'DELIVERED'],
  ])('that was %s until its life is over is EXPIRED, and then no answer counts', async (_why, act, status) => {
    const rpcId = await persist({ timeout: 5_000 });
    await act();
    await settled(rpcId, status);
    server.clock.advance(7_001);
    await server.core.rpcCalls.sweep(100);
    await reply(0, '{}');
    expect(await follow(rpcId)).toMatchObject({ status: 'EXPIRED', response: null });
  });

  it('whose life is over before it begins is EXPIRED at once', async () => {
    const rpcId = await persist({ expirationTime: server.clock.now() });
    expect(await follow(rpcId)).toMatchObject({ status: 'EXPIRED' });
  });

  it('lives as long as it is told to, however long', async () => {
    const expirationTime = server.clock.now() + 10 * 365 * 86_400_000;
    const rpcId = await persist({ expirationTime });
    expect(await follow(rpcId)).toMatchObject({ expirationTime, status: 'QUEUED' });
    await remove(rpcId);
  });

  it('shows a reply that is no JSON as a string', async () => {
    const rpcId = await persist();
    await reply((await poll()).id, 'plain');
    expect(await follow(rpcId)).toMatchObject({ status: 'SUCCESSFUL', response: 'plain' });
  });

  it.each(['QUEUED', 'DELIVERED'])(
    'that is deleted while it is %s is gone, and no device gets it any more',
    async (status) => {
      const [first, second] = [await persist({ method: 'first' }), await persist({ method: 'second' })];
      if (status === 'DELIVERED') expect((await poll()).method).toBe('first');
      await settled(first, status);
      const answer = await remove(first);
      expect([answer.status, answer.text]).toEqual([200, '']);
      expect((await get(`/api/rpc/persistent/${first}`)).json()).toMatchObject({
        status: 404,
        errorCode: 32,
        message: `Rpc with id [${first}] is not found`,
      });
      expect((await remove(first)).status).toBe(404);
      expect((await poll()).method).toBe('second');
      await reply(0, '{}');
      expect(await listed()).toEqual([second]);
    },
  );

  it('is the only kind that can be followed or deleted', async () => {
    const requestUUID = systemRandom.uuid();
    const answer = server.call('POST', `/api/rpc/oneway/${id}`, { token, body: { method: 'm', requestUUID } });
    await server.clock.timerOf(11_000);
    expect((await get(`/api/rpc/persistent/${requestUUID}`)).status).toBe(404);
    expect((await remove(requestUUID)).status).toBe(404);
    expect(await listed()).toEqual([]);
    server.clock.advance(11_000);
    expect((await answer).status).toBe(504);
  });

  it.each(['not-a-uuid', '1'])('with the id %s is no request', async (wrong) => {
    for (const method of ['GET', 'DELETE']) {
      const answer = await server.call(method, `/api/rpc/persistent/${wrong}`, { token });
      expect(answer.json()).toMatchObject({ status: 400, errorCode: 31 });
    }
  });
});

describe('The list of persistent commands', () => {
  /** One after the other, a millisecond apart. */
  async function several(...bodies: object[]): Promise<string[]> {
    const made: string[] = [];
    for (const body of bodies) {
      server.clock.advance(1);
      made.push(await persist(body));
    }
    return made;
  }

  it('is by page, newest first, with the members of a page and of a command', async () => {
    const made = await several({}, {}, {});
    const page = (await get(`/api/rpc/persistent/device/${id}?pageSize=2&page=0`)).json<Page>();
    expect(Object.keys(page)).toEqual(['data', 'totalPages', 'totalElements', 'hasNext']);
    expect(page).toMatchObject({ totalPages: 2, totalElements: 3, hasNext: true });
    expect(page.data.map((rpc) => rpc.id.id)).toEqual([made[2], made[1]]);
    expect(page.data[0]).toEqual(await follow(made[2] ?? ''));
    const last = (await get(`/api/rpc/persistent/device/${id}?pageSize=2&page=1`)).json<Page>();
    expect([last.data.map((rpc) => rpc.id.id), last.hasNext]).toEqual([[made[0]], false]);
    const all = (await get(`/api/rpc/persistent/device/${id}?pageSize=2147483647&page=0`)).json<Page>();
    expect(all.totalElements).toBe(3);
  });

  it('is by status', async () => {
    const [first = '', second = ''] = await several({}, {});
    await reply(0, '{}');
    expect(await listed('&rpcStatus=SUCCESSFUL')).toEqual([first]);
    expect(await listed('&rpcStatus=QUEUED')).toEqual([second]);
    expect(await listed('&rpcStatus=')).toEqual([second, first]);
    for (const status of ['SENT', 'DELIVERED', 'TIMEOUT', 'FAILED', 'EXPIRED']) {
      expect(await listed(`&rpcStatus=${status}`)).toEqual([]);
    }
  });

  it('searches and sorts', async () => {
    const [b = '', c = '', a = ''] = await several({ method: 'setB' }, { method: 'getC' }, { method: 'setA' });
    expect(await listed('&textSearch=SET')).toEqual([a, b]);
    expect(await listed('&textSearch=nothing')).toEqual([]);
    expect(await listed('&sortProperty=request&sortOrder=ASC')).toEqual([c, a, b]);
    expect(await listed('&sortProperty=createdTime&sortOrder=ASC')).toEqual([b, c, a]);
    expect(await listed('&sortProperty=expirationTime')).toEqual([a, c, b]);
    expect(await listed('&textSearch=&sortProperty=&sortOrder=')).toEqual([a, c, b]);
  });

  it.each([
    ['rpcStatus=DELETED', 'rpcStatus'],
    ['rpcStatus=QUEUE', 'rpcStatus'],
    ['sortOrder=UP', 'sortOrder'],
    ['sortProperty=secret', 'sortProperty'],
  ])('with %s is refused by a JSON error', async (query, named) => {
    const answer = await list(`&${query}`);
    expect(answer.json()).toMatchObject({ status: 400, errorCode: 31, message: expect.stringContaining(named) });
  });

  it.each(['', 'pageSize=10', 'page=0', 'pageSize=0&page=0', 'pageSize=1&page=-1'])(
    'with "%s" for a page is refused',
    async (query) => {
      const answer = await get(`/api/rpc/persistent/device/${id}?${query}`);
      expect(answer.json()).toMatchObject({ status: 400, errorCode: 31 });
    },
  );

  it('of a device that is not there is refused in bare text', async () => {
    const answer = await get(`/api/rpc/persistent/device/${systemRandom.uuid()}?pageSize=1&page=0`);
    expect([answer.status, answer.text]).toEqual([404, "Device with requested id wasn't found!"]);
  });

  it('holds the last of the finished ones alone, and of those none that is too old', async () => {
    const made: string[] = [];
    for (let n = 0; n < 7; n++) {
      made.push(...(await several({})));
      await reply(n, '{}');
    }
    const [pending = ''] = await several({ timeout: 600_000 });
    expect(await listed()).toEqual([pending, ...made.slice(2).reverse()]);
    server.clock.advance(60_001);
    await server.core.finishedRpcs.trim();
    expect(await listed()).toEqual([pending]);
  });
});
