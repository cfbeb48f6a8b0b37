import { attributes, error, latest, sub, TELEMETRY, useWatchers } from './testing/watchers';

const watchers = useWatchers();
const { connect, device, post, save } = watchers;

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
    await watchers.server.clock.timerOf(10_000);
    watchers.server.clock.advance(10_000);
    expect(await client.closed).toBe('1008 Auth cmd is missing');
  });

  it.each(['', 'Bearer '])(
    'takes the token and commands in one message, without an answer to it: "%s"',
    async (scheme) => {
      const id = await device();
      const client = await connect('/api/ws');
      const cmd = { type: 'TIMESERIES', ...sub(id, { cmdId: 5, scope: 'LATEST_TELEMETRY' }) };
      client.send({ authCmd: { cmdId: 0, token: scheme + watchers.token }, cmds: [cmd] });
      expect((await client.next()).subscriptionId).toBe(5);
    },
  );

  it('takes everything behind "token=" as the token, and commands that come while it is checked', async () => {
    const id = await device();
    const client = await connect(`/api/ws?x=1&token=${encodeURIComponent(watchers.token)}`);
    client.send({ cmds: [{ type: 'ATTRIBUTES', ...sub(id) }] });
    expect(await client.next()).toMatchObject({ errorCode: 0 });
  });

  it('is not what a plain request gets, which is answered as any other', async () => {
    expect((await watchers.server.call('GET', '/api/ws')).status).toBe(404);
    expect((await watchers.server.call('GET', TELEMETRY)).status).toBe(404);
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
    await watchers.server.core.state.materialiser.caughtUp();
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
    await watchers.server.core.state.materialiser.caughtUp();
    const client = await connect();
    client.send(latest(id));
    expect(await client.data()).toEqual({ a: [[1_900_000_000_000, '7.0']] });
    await watchers.server.core.timeSeries.delete(id, ['a'], { startTs: 0, endTs: 2_000_000_000_000, latest: 'remove' });
    await post(id, '{"ts":1000,"values":{"a":8}}');
    expect(await client.data()).toEqual({ a: [[1000, '8']] });
  });

  it('begins with a part of the history where a time window is named', async () => {
    const id = await device();
    for (const ts of [1, 2, 3, 4]) await post(id, `{"ts":${ts},"values":{"a":${ts},"b":${ts}}}`);
    await watchers.server.core.state.materialiser.caughtUp();
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
    await watchers.server.core.state.materialiser.caughtUp();
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
    await watchers.server.core.state.materialiser.caughtUp();
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
        if (n % 100 === 0) await watchers.server.core.state.materialiser.caughtUp();
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
    await watchers.server.core.attributes.postClient(await watchers.server.session(id), Buffer.from('{"c":1}'));
    await save(id, 'SHARED', { s: '2.0' });
    await save(id, 'SERVER', { v: '"text"' });
    const now = watchers.server.clock.now();
    const client = await connect();
    client.send(attributes(id, { scope }));
    const pairs = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, [[now, value]]]));
    expect((await client.next()).data).toMatchObject(pairs);
    watchers.server.clock.advance(1);
    await watchers.server.core.attributes.postClient(await watchers.server.session(id), Buffer.from('{"c":3,"d":4}'));
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
    client.send({ authCmd: { token: watchers.token }, cmds: [{ type: 'ATTRIBUTES', ...sub(id, { keys: 'a,b' }) }] });
    await client.next();
    await save(id, 'SHARED', { a: '1', c: '1' });
    expect(Object.keys((await client.next()).data ?? {})).toEqual(['a']);
    await save(id, 'SERVER', { b: '"x"' });
    expect((await client.next()).data?.b?.[0]?.[1]).toBe('x');
    await watchers.server.core.attributes.delete(id, 'SHARED', ['a', 'c']);
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
    watchers.server.core.connectivity.seen(id);
    await watchers.server.core.connectivity.flush();
    expect((await client.data())?.active?.[0]?.[1]).toBe('true');
  });
});

describe('A history command', () => {
  it.each(['historyCmds', 'TIMESERIES_HISTORY'])('is answered once: %s', async (form) => {
    const id = await device();
    for (const ts of [1, 2, 3]) await post(id, `{"ts":${ts},"values":{"a":${ts}.5}}`);
    await watchers.server.core.state.materialiser.caughtUp();
    const legacy = form === 'historyCmds';
    const client = await connect(legacy ? undefined : `/api/ws?token=${watchers.token}`);
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
    const client = await connect(`/api/ws?token=${watchers.token}`);
    client.send(text);
    expect(await client.next()).toEqual(refusal);
  });
});
