import { TandemError } from '@tandem/core';
import { entriesOf } from '@tandem/core/testing';
import { ADMIN, OTHER_ADMIN, ServerUnderTest, SYSTEM_ADMIN } from './testing/server-under-test';
import { WebSocketClient } from './testing/web-socket-client';

const TELEMETRY = '/api/ws/plugins/telemetry';
const TELEMETRY_WITH_KEY = `${TELEMETRY}?token=KEY`;
let server: ServerUnderTest;
let token: string;
let devices = 0;
const open: WebSocketClient[] = [];

beforeAll(async () => {
  // Time stands still, and then jumps.
  server = await ServerUnderTest.start({ TB_SERVER_WS_PING_TIMEOUT: '100000000' });
  ({ token } = await server.login());
});
afterEach(() => Promise.all(open.splice(0).map((client) => client.close())));
afterAll(() => server.stop());

async function connect(target = `${TELEMETRY}?token=${token}`): Promise<WebSocketClient> {
  const client = await WebSocketClient.open(server.port, target);
  open.push(client);
  return client;
}

async function device(): Promise<string> {
  return server.createDevice(token, `watched-${++devices}`);
}

async function post(id: string, payload: string): Promise<void> {
  await server.core.telemetry.post(await server.session(id), Buffer.from(payload));
}

const save = (id: string, scope: 'SHARED' | 'SERVER', values: Record<string, string>) =>
  server.core.attributes.saveFromServer(id, scope, entriesOf(values));

const sub = (entityId: string, more: object = {}) => ({ cmdId: 1, entityType: 'DEVICE', entityId, ...more });
const latest = (entityId: string, more: object = {}) => ({
  tsSubCmds: [sub(entityId, { scope: 'LATEST_TELEMETRY', ...more })],
});
const attributes = (entityId: string, more: object = {}) => ({ attrSubCmds: [sub(entityId, more)] });
const error = (errorCode: number, errorMsg: string, subscriptionId = 1) => ({
  ...{ subscriptionId, errorCode, errorMsg },
  ...{ data: null, latestValues: {} },
});

describe('A WebSocket connection', () => {
  it.each([
    ['a token in the URL that is not valid', `${TELEMETRY}?token=nonsense`, '1011 Authentication failed'],
    ['a token in the URL of /api/ws that is not valid', '/api/ws?token=a.b.c', '1011 Authentication failed'],
    ['another plugin', '/api/ws/plugins/notifications?token=x', "1007 Can't find plugin with specified token!"],
  ])('is closed at once: %s', async (_what, target, closed) => {
    expect(await (await connect(target)).closed).toBe(closed);
  });

  it.each([
    ['/api/ws', '{"authCmd":{"cmdId":0,"token":"nonsense"}}', '1007 Authentication failed'],
    ['/api/ws', '{"cmds":[]}', '1008 Auth cmd is missing'],
    ['/api/ws', 'no JSON', '1008 Auth cmd is missing'],
    [TELEMETRY, '{"authCmd":{"cmdId":0,"token":"nonsense"}}', '1008 Auth cmd is missing'],
  ])('without a token in its URL is closed after what is no login: %s %s', async (target, text, closed) => {
    const client = await connect(target);
    client.send(text);
    expect(await client.closed).toBe(closed);
  });

  it('without a token is closed after 10 seconds', async () => {
    const client = await connect('/api/ws');
    await server.clock.timerOf(10_000);
    server.clock.advance(10_000);
    expect(await client.closed).toBe('1008 Auth cmd is missing');
  });

  it.each(['', 'Bearer '])(
    'takes the token and commands in one message, without an answer to it: "%s"',
    async (scheme) => {
      const id = await device();
      const client = await connect('/api/ws');
      const cmd = { type: 'TIMESERIES', ...sub(id, { cmdId: 5, scope: 'LATEST_TELEMETRY' }) };
      client.send({ authCmd: { cmdId: 0, token: scheme + token }, cmds: [cmd] });
      expect((await client.next()).subscriptionId).toBe(5);
    },
  );

  it('takes everything behind "token=" as the token, and commands that come while it is checked', async () => {
    const id = await device();
    const client = await connect(`/api/ws?x=1&token=${encodeURIComponent(token)}`);
    client.send({ cmds: [{ type: 'ATTRIBUTES', ...sub(id) }] });
    expect(await client.next()).toMatchObject({ errorCode: 0 });
  });

  it('is not what a plain request gets, which is answered as any other', async () => {
    expect((await server.call('GET', '/api/ws')).status).toBe(404);
    expect((await server.call('GET', TELEMETRY)).status).toBe(404);
  });
});

describe('A subscription to telemetry', () => {
  it('begins with the latest values, also when there are none, and goes on with each message whole', async () => {
    const id = await device();
    const client = await connect();
    client.send(latest(id));
    expect(await client.text()).toBe('{"subscriptionId":1,"errorCode":0,"errorMsg":null,"data":{},"latestValues":{}}');
    await post(id, '{"ts":1000,"values":{"temperature":42.0,"on":true,"n":73,"text":"a\\"b","j":{"a":[1.0]}}}');
    expect(await client.text()).toBe(
      `{"subscriptionId":1,"errorCode":0,"errorMsg":null,"data":{"temperature":[[1000,"42.0"]],"on":[[1000,"true"]],${'"n":[[1000,"73"]],"text":[[1000,"a\\"b"]],"j":[[1000,"{\\"a\\":[1.0]}"]]}'},"latestValues":{"temperature":1000,"on":1000,"n":1000,"text":1000,"j":1000}}`,
    );
    const other = await connect();
    other.send(latest(id, { cmdId: 9, keys: 'n,temperature' }));
    expect(await other.next()).toMatchObject({
      ...{ subscriptionId: 9, latestValues: { n: 1000, temperature: 1000 } },
      data: { n: [[1000, '73']], temperature: [[1000, '42.0']] },
    });
    await post(id, '[{"ts":1002,"values":{"n":2}},{"ts":1001,"values":{"n":1,"on":false}}]');
    expect(await other.next()).toMatchObject({
      data: {
        n: [
          [1002, '2'],
          [1001, '1'],
        ],
      },
      latestValues: { n: 1002 },
    });
  });

  it('leaves out values that are older than the known one, with the scope LATEST_TELEMETRY only', async () => {
    const id = await device();
    await post(id, '{"ts":1000,"values":{"a":1}}');
    await server.core.state.materialiser.caughtUp();
    const client = await connect();
    client.send({ tsSubCmds: [sub(id, { scope: 'LATEST_TELEMETRY' }), sub(id, { cmdId: 2 })] });
    expect([(await client.next()).data, (await client.next()).data]).toEqual([
      { a: [[1000, '1']] },
      { a: [[1000, '1']] },
    ]);
    await post(id, '{"ts":999,"values":{"a":0}}');
    await post(id, '{"ts":1001,"values":{"a":2}}');
    const told = [await client.next(), await client.next(), await client.next()];
    expect(told.map(({ subscriptionId, data }) => [subscriptionId, data?.a]).sort()).toEqual([
      [1, [[1001, '2']]],
      [2, [[1001, '2']]],
      [2, [[999, '0']]],
    ]);
  });

  it('goes on after telemetry was deleted, however new that was', async () => {
    const id = await device();
    await post(id, '{"ts":1900000000000,"values":{"a":7.0}}');
    await server.core.state.materialiser.caughtUp();
    const client = await connect();
    client.send(latest(id));
    expect(await client.data()).toEqual({ a: [[1_900_000_000_000, '7.0']] });
    await server.core.timeSeries.delete(id, ['a'], { startTs: 0, endTs: 2_000_000_000_000, latest: 'remove' });
    await post(id, '{"ts":1000,"values":{"a":8}}');
    expect(await client.data()).toEqual({ a: [[1000, '8']] });
  });

  it('begins with a part of the history where a time window is named', async () => {
    const id = await device();
    for (const ts of [1, 2, 3, 4]) await post(id, `{"ts":${ts},"values":{"a":${ts},"b":${ts}}}`);
    await server.core.state.materialiser.caughtUp();
    const client = await connect();
    client.send(latest(id, { keys: 'a', startTs: 2, timeWindow: 2, limit: 10 }));
    expect((await client.next()).data).toEqual({
      a: [
        [3, '3'],
        [2, '2'],
      ],
    });
    await post(id, '{"ts":5,"values":{"a":5,"b":5}}');
    expect((await client.next()).data).toEqual({ a: [[5, '5']] });
  });

  it('begins with aggregates where an interval is named, and goes on with what comes as it comes', async () => {
    const id = await device();
    for (const ts of [1, 2, 3]) await post(id, `{"ts":${ts},"values":{"a":${ts}}}`);
    await server.core.state.materialiser.caughtUp();
    const client = await connect();
    client.send(latest(id, { keys: 'a', startTs: 0, timeWindow: 100, interval: 100, agg: 'SUM' }));
    expect((await client.next()).data).toEqual({ a: [[50, '6']] });
    await post(id, '{"ts":4,"values":{"a":4}}');
    expect((await client.next()).data).toEqual({ a: [[4, '4']] });
  });

  it('ends with "unsubscribe", and is replaced by another one with its number', async () => {
    const [one, other] = [await device(), await device()];
    const client = await connect();
    client.send(latest(one));
    await client.next();
    client.send(latest(other));
    await client.next();
    await post(one, '{"a":1}');
    await post(other, '{"a":2}');
    expect((await client.next()).data?.a?.[0]?.[1]).toBe('2');
    client.send({ tsSubCmds: [{ cmdId: 1, unsubscribe: true }] });
    client.send(attributes(other, { cmdId: 2 }));
    await client.next();
    await post(other, '{"a":3}');
    await server.core.state.materialiser.caughtUp();
    await save(other, 'SHARED', { last: '1' });
    expect((await client.next()).subscriptionId).toBe(2);
  });

  it('loses and doubles nothing of what is sent while it begins', async () => {
    const id = await device();
    let over = false;
    const sent = (async () => {
      let n = 0;
      while (!over) {
        await post(id, `{"ts":${++n},"values":{"n":${n}}}`);
        // No faster than it can be told: on a busy machine the client would be closed as too slow.
        if (n % 100 === 0) await server.core.state.materialiser.caughtUp();
      }
      return n;
    })();
    const client = await connect();
    const seen: number[] = [];
    for (let round = 1; round <= 5; round++) {
      client.send(latest(id, { cmdId: round }));
      for (let updates = 0; updates < 3; ) {
        const { subscriptionId, data } = await client.next();
        if (subscriptionId !== round) continue;
        updates++;
        for (const [ts] of data?.n ?? []) seen.push(ts);
      }
      client.send({ tsSubCmds: [{ cmdId: round, unsubscribe: true }] });
      expect(seen).toEqual(seen.map((_, i) => (seen[0] ?? 0) + i));
      seen.length = 0;
    }
    over = true;
    await sent;
  });
});

describe('A subscription to attributes', () => {
  it.each([
    ['CLIENT_SCOPE', { c: '1' }],
    ['SHARED_SCOPE', { s: '2.0' }],
    ['SERVER_SCOPE', { v: 'text' }],
  ])('of %s begins with what is there, and goes on with each save', async (scope, values) => {
    const id = await device();
    await server.core.attributes.postClient(await server.session(id), Buffer.from('{"c":1}'));
    await save(id, 'SHARED', { s: '2.0' });
    await save(id, 'SERVER', { v: '"text"' });
    const now = server.clock.now();
    const client = await connect();
    client.send(attributes(id, { scope }));
    const pairs = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, [[now, value]]]));
    expect((await client.next()).data).toMatchObject(pairs);
    server.clock.advance(1);
    await server.core.attributes.postClient(await server.session(id), Buffer.from('{"c":3,"d":4}'));
    await save(id, 'SHARED', { s: '5', t: '6' });
    await save(id, 'SERVER', { v: '7', w: '8' });
    const expected = { CLIENT_SCOPE: ['c', 'd'], SHARED_SCOPE: ['s', 't'], SERVER_SCOPE: ['v', 'w'] }[scope] ?? [];
    const { data, latestValues } = await client.next();
    expect(Object.keys(data ?? {})).toEqual(expected);
    expect(Object.values(latestValues)).toEqual([now + 1, now + 1]);
  });

  it('of any scope tells what was deleted as the empty value of time 0', async () => {
    const id = await device();
    const client = await connect('/api/ws');
    client.send({ authCmd: { token }, cmds: [{ type: 'ATTRIBUTES', ...sub(id, { keys: 'a,b' }) }] });
    await client.next();
    await save(id, 'SHARED', { a: '1', c: '1' });
    expect(Object.keys((await client.next()).data ?? {})).toEqual(['a']);
    await save(id, 'SERVER', { b: '"x"' });
    expect((await client.next()).data?.b?.[0]?.[1]).toBe('x');
    await server.core.attributes.delete(id, 'SHARED', ['a', 'c']);
    expect(await client.next()).toMatchObject({ data: { a: [[0, '']] }, latestValues: { a: 0 } });
    client.send({ cmds: [{ type: 'ATTRIBUTES_UNSUBSCRIBE', cmdId: 1 }] });
    client.send({ cmds: [{ type: 'ATTRIBUTES', ...sub(id, { cmdId: 2, keys: 'b' }) }] });
    expect((await client.next()).subscriptionId).toBe(2);
    await save(id, 'SERVER', { b: '2' });
    expect((await client.next()).subscriptionId).toBe(2);
  });

  it('tells the connectivity of the device', async () => {
    const id = await device();
    const client = await connect();
    client.send(attributes(id, { scope: 'SERVER_SCOPE', keys: 'active' }));
    await client.next();
    server.core.connectivity.seen(id);
    await server.core.connectivity.flush();
    expect((await client.data())?.active?.[0]?.[1]).toBe('true');
  });
});

describe('A history command', () => {
  it.each(['historyCmds', 'TIMESERIES_HISTORY'])('is answered once: %s', async (form) => {
    const id = await device();
    for (const ts of [1, 2, 3]) await post(id, `{"ts":${ts},"values":{"a":${ts}.5}}`);
    await server.core.state.materialiser.caughtUp();
    const legacy = form === 'historyCmds';
    const client = await connect(legacy ? undefined : `/api/ws?token=${token}`);
    const ask = (more: object) => {
      const cmd = sub(id, { startTs: 0, endTs: 3, ...more });
      client.send(legacy ? { historyCmds: [cmd] } : { cmds: [{ type: form, ...cmd }] });
    };
    ask({ keys: 'a,nope' });
    expect(await client.next()).toMatchObject({
      data: {
        a: [
          [2, '2.5'],
          [1, '1.5'],
        ],
      },
      latestValues: { a: 2 },
    });
    ask({ keys: 'a', limit: 1 });
    expect((await client.next()).data).toEqual({ a: [[2, '2.5']] });
    ask({ keys: 'a', endTs: 4, interval: 2, agg: 'MAX' });
    expect((await client.next()).data).toEqual({
      a: [
        [1, '1.5'],
        [3, '3.5'],
      ],
    });
    ask({ keys: 'a', agg: 'MAX' });
    expect(Object.keys((await client.next()).data ?? {})).toEqual(['a']);
    ask({ keys: 'a', endTs: 10_000_000, interval: 1, agg: 'SUM' });
    expect((await client.next()).errorMsg).toContain('intervals');
    ask({});
    expect(await client.next()).toEqual(error(2, 'Keys are empty!'));
    ask({ keys: 'a', agg: 'MEDIAN' });
    expect(await client.next()).toEqual(error(2, 'Invalid aggregation: MEDIAN'));
  });
});

describe('A command that cannot be', () => {
  it.each([
    ['no JSON', error(2, 'Failed to parse the payload')],
    ['[]', error(2, 'Failed to parse the payload')],
    ['{"tsSubCmds":{}}', error(2, 'Failed to parse the payload')],
    ['{"tsSubCmds":[1]}', error(2, 'Failed to parse the payload')],
    ['{"tsSubCmds":[{"cmdId":"1"}]}', error(2, 'Failed to parse the payload')],
    ['{"tsSubCmds":[{"cmdId":1.5}]}', error(2, 'Failed to parse the payload')],
    ['{"tsSubCmds":[{"cmdId":1,"entityId":"ID","keys":["a"]}]}', error(2, 'Failed to parse the payload')],
    ['{"tsSubCmds":[{"cmdId":-1,"entityId":"ID"}]}', error(2, 'Cmd id is negative value!', -1)],
    ['{"tsSubCmds":[{"cmdId":3}]}', error(2, 'Device id is empty!', 3)],
    ['{"attrSubCmds":[{"cmdId":3,"entityType":"DEVICE","entityId":""}]}', error(2, 'Device id is empty!', 3)],
    ['{"attrSubCmds":[{"cmdId":3,"entityId":"x"}]}', error(2, 'Invalid UUID string: x', 3)],
    [
      '{"attrSubCmds":[{"cmdId":3,"entityId":"ID","entityType":"ASSET"}]}',
      error(2, "Entity type 'ASSET' is not supported", 3),
    ],
    ['{"attrSubCmds":[{"cmdId":3,"entityId":"ID","scope":"X"}]}', error(2, 'Invalid scope: X', 3)],
    [
      '{"tsSubCmds":[{"cmdId":3,"entityId":"ID","keys":"a","timeWindow":1,"limit":-1}]}',
      error(2, 'Limit is negative value!', 3),
    ],
    ['{"entityDataCmds":[{"cmdId":4}]}', error(2, 'Commands of entityDataCmds are not available', 4)],
  ])('is refused, and the session goes on: %s', async (text, refusal) => {
    const id = await device();
    const client = await connect();
    client.send(text.replace('ID', id));
    expect(await client.next()).toEqual(refusal);
    client.send(latest(id, { cmdId: 7 }));
    expect((await client.next()).subscriptionId).toBe(7);
  });

  it.each([
    ['{"cmds":[{"type":"ENTITY_DATA","cmdId":4}]}', error(2, 'Commands of type ENTITY_DATA are not available', 4)],
    ['{"cmds":[{"cmdId":4}]}', error(2, 'Command type is empty!', 4)],
    ['{"cmds":[{"type":"constructor","cmdId":4}]}', error(2, 'Commands of type constructor are not available', 4)],
  ])('is refused on /api/ws: %s', async (text, refusal) => {
    const client = await connect(`/api/ws?token=${token}`);
    client.send(text);
    expect(await client.next()).toEqual(refusal);
  });
});

describe('Who may not see a device', () => {
  const ABSENT = error(3, "Device with requested id wasn't found!");

  it.each([
    ['of another tenant', OTHER_ADMIN],
    ['of no tenant', SYSTEM_ADMIN],
  ])('is told that it is not there: an administrator %s', async (_whose, login) => {
    const id = await device();
    const other = await server.login(login);
    const client = await connect(`${TELEMETRY}?token=${other.token}`);
    client.send({ ...latest(id), ...attributes(id), historyCmds: [sub(id, { keys: 'a', startTs: 0, endTs: 9 })] });
    for (let n = 0; n < 3; n++) expect(await client.next()).toEqual(ABSENT);
    expect(client.unread).toEqual([]);
    client.send(latest('00000000-0000-4000-8000-000000000000'));
    expect(await client.next()).toEqual(ABSENT);
    await post(id, '{"a":1}');
    await server.core.state.materialiser.caughtUp();
    expect(client.unread).toEqual([]);
  });

  it('loses it when it is deleted', async () => {
    const id = await device();
    const client = await connect();
    client.send({ ...latest(id), ...attributes(id, { cmdId: 2 }) });
    await client.next();
    await client.next();
    await server.call('DELETE', `/api/device/${id}`, { token });
    for (const told of [await client.next(), await client.next()]) {
      expect(told).toEqual(error(3, "Device with requested id wasn't found!", told.subscriptionId));
    }
  });

  it('loses it when it is given to somebody else', async () => {
    const id = await device();
    const user = await server.addUser(`customer-${devices}@example.org`, { customerId: systemUuid(1) });
    const stored = await server.core.state.devices.getDevice(id);
    if (!stored) throw new Error('the device is gone');
    await server.core.state.devices.updateDevice({ ...stored, customerId: user.customerId });
    const mine = await server.login(user.email);
    const client = await connect(`${TELEMETRY}?token=${mine.token}`);
    client.send(latest(id));
    expect(await client.next()).toMatchObject({ errorCode: 0 });
    await server.core.state.devices.updateDevice({ ...stored, customerId: systemUuid(2), version: 2 });
    expect(await client.next()).toEqual(error(3, "You don't have permission to perform this operation!"));
    client.send(latest(id, { cmdId: 2 }));
    expect((await client.next()).errorCode).toBe(3);
  });

  describe('where the store fails once', () => {
    const away = () => new TandemError('STORE_UNAVAILABLE');
    const given = async (id: string, customerId: string) => {
      const stored = await server.core.state.devices.getDevice(id);
      if (!stored) throw new Error('the device is gone');
      return { ...stored, customerId };
    };
    async function watching(customer: number): Promise<{ id: string; client: WebSocketClient }> {
      const id = await device();
      const user = await server.addUser(`once-${devices}@example.org`, { customerId: systemUuid(customer) });
      await server.core.state.devices.updateDevice(await given(id, systemUuid(customer)));
      const client = await connect(`${TELEMETRY}?token=${(await server.login(user.email)).token}`);
      client.send(latest(id));
      expect(await client.next()).toMatchObject({ errorCode: 0 });
      return { id, client };
    }

    it('loses it all the same when it is given to somebody else', async () => {
      const { id, client } = await watching(3);
      const next = await given(id, systemUuid(4));
      const spy = jest.spyOn(server.core.state.devices, 'getDevice').mockRejectedValueOnce(away());
      await server.core.state.devices.updateDevice(next);
      await server.clock.timerOf(2_000);
      expect([spy.mock.calls.length, client.unread]).toEqual([1, []]);
      spy.mockRestore();
      server.clock.advance(2_000);
      expect(await client.next()).toEqual(error(3, "You don't have permission to perform this operation!"));
    });

    it('loses it within a minute though nothing of it was heard', async () => {
      const { id, client } = await watching(5);
      const next = await given(id, systemUuid(6));
      const spy = jest.spyOn(server.core.state.devices, 'getDevice');
      spy.mockRejectedValueOnce(away()).mockResolvedValue(next);
      server.clock.advance(60_000);
      await server.clock.timerOf(2_000);
      server.clock.advance(2_000);
      expect(await client.next()).toEqual(error(3, "You don't have permission to perform this operation!"));
      spy.mockRestore();
    });

    it('is told so where it only begins, whatever the fault, and the session goes on', async () => {
      const id = await device();
      const client = await connect();
      for (const fault of ['a fault', 'another']) {
        const spy = jest.spyOn(server.core.state.feed, 'watch').mockImplementationOnce(() => {
          throw new Error(fault);
        });
        client.send(latest(id));
        expect(await client.next()).toEqual(
          error(1, expect.stringMatching(/^Internal Server error! \(correlation id [0-9a-f]{12}\)$/)),
        );
        spy.mockRestore();
      }
      client.send(latest(id));
      expect((await client.next()).errorCode).toBe(0);
    });
  });

  it('is closed when the account is disabled', async () => {
    const user = await server.addUser(`disabled-${devices}@example.org`, { authority: 'TENANT_ADMIN' });
    const mine = await server.login(user.email);
    const id = await device();
    const [client, bystander] = [await connect(`${TELEMETRY}?token=${mine.token}`), await connect()];
    for (const each of [client, bystander]) each.send(latest(id));
    await Promise.all([client.next(), bystander.next()]);
    await server.core.logins.setEnabled(user.id, false);
    expect(await client.closed).toBe('1008 Authentication failed');
    await post(id, '{"a":1}');
    expect((await bystander.next()).data?.a?.[0]?.[1]).toBe('1');
  });

  it.each([
    ['/api/ws?token=KEY', ''],
    [TELEMETRY_WITH_KEY, ''],
    ['/api/ws', ''],
    ['/api/ws', 'ApiKey '],
  ])('may log in with an API key, until that is disabled: %s %s', async (target, scheme) => {
    const admin = await server.core.state.accounts.findUserByEmail(ADMIN);
    if (!admin) throw new Error('there is no administrator');
    const request = { description: 'watching', expirationTime: 0, enabled: true };
    const { key, value } = await server.core.apiKeys.create(admin, request);
    const id = await device();
    const client = await connect(target.replace('KEY', value));
    if (target === '/api/ws') client.send({ authCmd: { cmdId: 0, token: scheme + value } });
    client.send(target === TELEMETRY_WITH_KEY ? attributes(id) : { cmds: [{ type: 'ATTRIBUTES', ...sub(id) }] });
    expect((await client.next()).errorCode).toBe(0);
    await server.core.apiKeys.update(key, { enabled: false });
    expect(await client.closed).toBe('1008 Authentication failed');
  });

  it('is closed when the user logs out', async () => {
    const { token: mine } = await server.login();
    const [client, other] = [await connect(`${TELEMETRY}?token=${mine}`), await connect()];
    const id = await device();
    for (const each of [client, other]) each.send(latest(id));
    await Promise.all([client.next(), other.next()]);
    expect((await server.call('POST', '/api/auth/logout', { token: mine })).status).toBe(200);
    expect(await client.closed).toBe('1008 Authentication failed');
    other.send(latest(id, { cmdId: 2 }));
    expect((await other.next()).errorCode).toBe(0);
  });

  it('is closed when the token expires', async () => {
    const { token: short } = await server.login(ADMIN);
    const client = await connect(`${TELEMETRY}?token=${short}`);
    client.send(latest(await device()));
    await client.next();
    server.clock.advance(9_001_000);
    expect(await client.closed).toBe('1008 Token has expired');
    ({ token } = await server.login());
  });
});

const systemUuid = (n: number) => `00000000-0000-4000-8000-00000000000${n}`;
