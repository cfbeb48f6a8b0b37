import { ServerUnderTest } from '../testing/server-under-test';

let server: ServerUnderTest;
let token: string;
let id: string;
beforeAll(async () => {
  server = await ServerUnderTest.start();
  token = (await server.login()).token;
});
beforeEach(async () => {
  id = await server.createDevice(token, `device ${++count}`);
});
afterAll(() => server.stop());

let count = 0;
const BASE = '/api/plugins/telemetry';
const device = () => `${BASE}/DEVICE/${id}`;
const get = (path: string) => server.call('GET', `${device()}${path}`, { token });
const post = (path: string, body: string) => server.call('POST', path, { token, body });
const del = (path: string) => server.call('DELETE', path, { token });

/** As a device posts it. Resolves when it can be read. */
async function telemetry(payload: string): Promise<void> {
  await server.core.telemetry.post(await server.session(id), Buffer.from(payload));
  await server.core.state.materialiser.caughtUp();
}

const EVERY_TYPE = '{"b":true,"n":73,"d":42.0,"s":"text","j":{"z":1.0,"a":[9007199254740993]},"e":1.0E7}';

describe('attributes', () => {
  it.each([
    ['/DEVICE/{id}/SHARED_SCOPE', 'SHARED_SCOPE'],
    ['/DEVICE/{id}/attributes/SHARED_SCOPE', 'SHARED_SCOPE'],
    ['/{id}/SHARED_SCOPE', 'SHARED_SCOPE'],
    ['/DEVICE/{id}/SERVER_SCOPE', 'SERVER_SCOPE'],
    ['/DEVICE/{id}/attributes/SERVER_SCOPE', 'SERVER_SCOPE'],
    ['/{id}/SERVER_SCOPE', 'SERVER_SCOPE'],
  ])('written to %s can be read with their types and number texts', async (path, scope) => {
    const answer = await post(`${BASE}${path.replace('{id}', id)}`, EVERY_TYPE);
    expect([answer.status, answer.text]).toEqual([200, '']);
    const ts = server.clock.now();
    expect((await get(`/values/attributes/${scope}?keys=d,j,nope,b,n,s`)).text).toBe(
      `[{"lastUpdateTs":${ts},"key":"d","value":42.0},` +
        `{"lastUpdateTs":${ts},"key":"j","value":{"z":1.0,"a":[9007199254740993]}},` +
        `{"lastUpdateTs":${ts},"key":"b","value":true},` +
        `{"lastUpdateTs":${ts},"key":"n","value":73},` +
        `{"lastUpdateTs":${ts},"key":"s","value":"text"}]`,
    );
  });

  it('of the client scope are read, but not written', async () => {
    await server.core.attributes.postClient(await server.session(id), Buffer.from('{"c":3.0}'));
    expect((await get('/values/attributes/CLIENT_SCOPE')).text).toContain('"key":"c","value":3.0');
    const answer = await post(`${device()}/CLIENT_SCOPE`, '{"c":4}');
    expect([answer.status, answer.text]).toEqual([400, 'Invalid scope: CLIENT_SCOPE']);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
    expect((await get('/values/attributes/CLIENT_SCOPE')).text).toContain('"value":3.0');
  });

  it('are listed scope by scope and over all scopes', async () => {
    await server.core.attributes.postClient(await server.session(id), Buffer.from('{"c":1}'));
    await post(`${device()}/SHARED_SCOPE`, '{"s":1,"active":2}');
    expect((await get('/keys/attributes/CLIENT_SCOPE')).json()).toEqual(['c']);
    expect((await get('/keys/attributes/SHARED_SCOPE')).json<string[]>().sort()).toEqual(['active', 's']);
    expect((await get('/keys/attributes')).json<string[]>().sort()).toEqual(['active', 'active', 'c', 's']);
    const all = (await get('/values/attributes?keys=active')).json<Array<{ value: unknown }>>();
    expect(all.map(({ value }) => value)).toEqual([false, 2]);
    expect((await get('/values/attributes?keys=')).json()).toHaveLength(4);
  });

  it('that are shared reach a device that waits for them', async () => {
    const session = await server.session(id);
    const event = new Promise((resolve) => {
      server.core.attributeUpdates.openPoll(session, 60_000, (outcome) => {
        if (outcome.kind === 'event') outcome.event.settled(true);
        resolve(outcome.kind === 'event' ? outcome.event.message.payload : outcome.kind);
      });
    });
    await server.clock.timerOf(60_000);
    await post(`${device()}/SHARED_SCOPE`, '{"interval":5.0}');
    expect(await event).toBe('{"interval":5.0}');
    const deleted = new Promise((resolve) => {
      server.core.attributeUpdates.openPoll(session, 60_000, (outcome) => {
        if (outcome.kind === 'event') outcome.event.settled(true);
        resolve(outcome.kind === 'event' ? outcome.event.message.payload : outcome.kind);
      });
    });
    await del(`${device()}/SHARED_SCOPE?keys=interval,never`);
    expect(await deleted).toBe('{"deleted":["interval"]}');
  });

  it.each(['/DEVICE/{id}/SHARED_SCOPE', '/{id}/SHARED_SCOPE'])('are deleted by %s', async (path) => {
    await post(`${device()}/SHARED_SCOPE`, '{"a":1,"b":2,"c,d":3,"e":4}');
    const answer = await del(`${BASE}${path.replace('{id}', id)}?keys=a,b&key=c,d`);
    expect([answer.status, answer.text]).toEqual([200, '']);
    expect((await get('/keys/attributes/SHARED_SCOPE')).json()).toEqual(['e']);
  });

  it('of the client and the server scope can be deleted as well', async () => {
    await server.core.attributes.postClient(await server.session(id), Buffer.from('{"c":1}'));
    await del(`${device()}/CLIENT_SCOPE?keys=c`);
    await del(`${device()}/SERVER_SCOPE?keys=active`);
    expect((await get('/keys/attributes')).json()).toEqual([]);
  });

  it('are not deleted when the call names none', async () => {
    const missing = await del(`${device()}/SHARED_SCOPE`);
    expect(missing.json()).toMatchObject({ status: 400, errorCode: 31 });
    const empty = await del(`${device()}/SHARED_SCOPE?keys=`);
    expect([empty.status, empty.text]).toEqual([400, 'Empty keys: ']);
  });

  it.each([
    ['nothing', '', 'Invalid JSON'],
    ['half a document', '{"a":', 'Invalid JSON'],
    ['a bare word', 'hello', 'Invalid JSON'],
    ['an array', '[{"a":1}]', 'Request is not a JSON object'],
    ['null', 'null', 'Request is not a JSON object'],
    ['a string', '"a"', 'Request is not a JSON object'],
    ['an empty object', '{}', 'No attributes data found in request body!'],
    ['nothing but null', '{"a":null}', 'No attributes data found in request body!'],
    ['a blank key', '{"ok":1," ":2}', 'Key cannot be blank'],
    ['a key that is too long', `{"${'k'.repeat(256)}":1}`, 'Key is longer than 255 characters'],
  ])('sent as %s are refused in bare text, and nothing is stored', async (_case, body, text) => {
    const answer = await post(`${device()}/SHARED_SCOPE`, body);
    expect([answer.status, answer.text]).toEqual([400, text]);
    expect((await get('/keys/attributes/SHARED_SCOPE')).json()).toEqual([]);
  });

  it.each(['GET /keys/attributes/ANY', 'GET /values/attributes/shared_scope', 'POST /ANY', 'DELETE /ANY?keys=a'])(
    'of a scope there is not get a JSON error: %s',
    async (call) => {
      const [method = '', path] = call.split(' ');
      const body = method === 'POST' ? '{"a":1}' : undefined;
      const answer = await server.call(method, `${device()}${path}`, { token, body });
      expect(answer.json()).toMatchObject({ status: 400, errorCode: 31 });
    },
  );
});

describe('latest values', () => {
  it('are strings unless types are asked for', async () => {
    await telemetry(`{"ts":1000,"values":${EVERY_TYPE}}`);
    expect((await get('/values/timeseries?keys=d,b,n,s,j,e')).text).toBe(
      '{"d":[{"ts":1000,"value":"42.0"}],"b":[{"ts":1000,"value":"true"}],"n":[{"ts":1000,"value":"73"}],' +
        '"s":[{"ts":1000,"value":"text"}],"j":[{"ts":1000,"value":"{\\"z\\":1.0,\\"a\\":[9007199254740993]}"}],' +
        '"e":[{"ts":1000,"value":"10000000"}]}',
    );
    expect((await get('/values/timeseries?keys=d,b,n,s,j&useStrictDataTypes=true')).text).toBe(
      '{"d":[{"ts":1000,"value":42.0}],"b":[{"ts":1000,"value":true}],"n":[{"ts":1000,"value":73}],' +
        '"s":[{"ts":1000,"value":"text"}],"j":[{"ts":1000,"value":{"z":1.0,"a":[9007199254740993]}}]}',
    );
  });

  it('of a key without data are null at this moment, and all keys means stored keys', async () => {
    expect((await get('/values/timeseries')).text).toBe('{}');
    expect((await get('/values/timeseries?keys=')).text).toBe('{}');
    await telemetry('{"ts":1,"values":{"a":1}}');
    const now = server.clock.now();
    expect((await get('/values/timeseries?keys=z,a,z')).text).toBe(
      `{"z":[{"ts":${now},"value":null}],"a":[{"ts":1,"value":"1"}]}`,
    );
    expect((await get('/values/timeseries')).text).toBe('{"a":[{"ts":1,"value":"1"}]}');
    expect((await get('/keys/timeseries')).json()).toEqual(['a']);
  });

  it('are what a range lacks one of its ends asks for', async () => {
    await telemetry('{"ts":1,"values":{"a":1}}');
    expect((await get('/values/timeseries?keys=a&startTs=5')).text).toBe('{"a":[{"ts":1,"value":"1"}]}');
  });
});

describe('history', () => {
  const points = (text: string) => (JSON.parse(text).a ?? []).map(({ ts }: { ts: number }) => ts);

  beforeEach(() => telemetry(`[${[10, 20, 30, 40].map((ts) => `{"ts":${ts},"values":{"a":${ts}.0}}`)}]`));

  it('runs from the start, which belongs to it, to the end, which does not, newest first', async () => {
    const { text } = await get('/values/timeseries?keys=a&startTs=20&endTs=40');
    expect(text).toBe('{"a":[{"ts":30,"value":"30.0"},{"ts":20,"value":"20.0"}]}');
  });

  it('is ordered, limited and typed as asked for', async () => {
    const { text } = await get(
      '/values/timeseries?keys=a&startTs=0&endTs=99&orderBy=ASC&limit=2&useStrictDataTypes=true',
    );
    expect(text).toBe('{"a":[{"ts":10,"value":10.0},{"ts":20,"value":20.0}]}');
    expect(points((await get('/values/timeseries?keys=a&startTs=0&endTs=99&limit=1')).text)).toEqual([40]);
  });

  it('keeps the order of the keys asked for and leaves out those without a point', async () => {
    await telemetry('{"ts":11,"values":{"b,c":1,"d":2}}');
    const { text } = await get('/values/timeseries?keys=d,nope,a&key=b,c&startTs=0&endTs=15');
    expect(text).toBe('{"d":[{"ts":11,"value":"2"}],"a":[{"ts":10,"value":"10.0"}],"b,c":[{"ts":11,"value":"1"}]}');
  });

  const LONG_MIN = '-9223372036854775808';
  const LONG_MAX = '9223372036854775807';

  it.each([
    [LONG_MIN, LONG_MAX, [40, 30, 20, 10]],
    ['-9223372036854775807', '00000000000000000000009223372036854775807', [40, 30, 20, 10]],
    ['20', '%2B999999999999999999', [40, 30, 20]],
    [LONG_MIN, '20', [10]],
    [LONG_MAX, LONG_MAX, []],
  ])('takes any 64-bit number as an end of the range: from %s to %s', async (startTs, endTs, found) => {
    for (const order of ['ASC', 'DESC']) {
      const { status, text } = await get(
        `/values/timeseries?keys=a&startTs=${startTs}&endTs=${endTs}&orderBy=${order}`,
      );
      expect([status, points(text)]).toEqual([200, order === 'DESC' ? found : [...found].reverse()]);
    }
  });

  it.each(['startTs=41&endTs=99', 'startTs=40&endTs=10', 'startTs=10&endTs=10'])(
    'of a range without points is an empty object: %s',
    async (range) => {
      expect((await get(`/values/timeseries?keys=a&${range}`)).text).toBe('{}');
    },
  );

  it('has 100 points unless told otherwise', async () => {
    await telemetry(`[${Array.from({ length: 150 }, (_, i) => `{"ts":${1000 + i},"values":{"a":1}}`)}]`);
    const range = '/values/timeseries?keys=a&startTs=1000&endTs=2000';
    expect(points((await get(range)).text)).toHaveLength(100);
    expect(points((await get(`${range}&limit=2147483647`)).text)).toHaveLength(150);
  });

  it.each(['ASC', 'DESC'])('is whole and in order (%s) when it is longer than what is read at once', async (order) => {
    const sent = Array.from({ length: 10_001 }, (_, i) => 1000 + i);
    await telemetry(`[${sent.map((ts) => `{"ts":${ts},"values":{"a":1}}`)}]`);
    const { text } = await get(`/values/timeseries?keys=a&startTs=1000&endTs=99999&limit=10001&orderBy=${order}`);
    expect(points(text)).toEqual(order === 'ASC' ? sent : sent.reverse());
  });

  it('is not aggregated by an interval of nothing', async () => {
    for (const interval of ['', '&interval=', '&interval=0', '&intervalType=MILLISECONDS&timeZone=UTC']) {
      const { text } = await get(`/values/timeseries?keys=a&startTs=0&endTs=99&agg=AVG${interval}`);
      expect(points(text)).toEqual([40, 30, 20, 10]);
    }
    const { text } = await get('/values/timeseries?keys=a&startTs=0&endTs=99&interval=-5');
    expect(points(text)).toEqual([40, 30, 20, 10]);
  });

  it.each([
    'keys=a&startTs=x&endTs=1',
    'keys=a&startTs=1.5&endTs=9',
    'keys=a&startTs=1&endTs=',
    'keys=a&startTs=1&endTs=9223372036854775808',
    'keys=a&startTs=-9223372036854775809&endTs=1',
    'keys=a&startTs=1&endTs=99999999999999999999',
    'keys=a&startTs=1&endTs=1e3',
    'keys=a&startTs=1&endTs=0x7f',
    'keys=&startTs=1&endTs=2',
    'keys=a&startTs=1&endTs=9&limit=0',
    'keys=a&startTs=1&endTs=9&limit=many',
    'keys=a&startTs=1&endTs=9&agg=MEDIAN',
    'keys=a&startTs=1&endTs=9&orderBy=UP',
    'keys=a&startTs=1&endTs=9&interval=1.5',
    'keys=a&startTs=1&endTs=9&interval=1d',
    'keys=a&startTs=1&endTs=9&timeZone=Mars/Olympus',
    'keys=a&startTs=1&endTs=9&intervalType=HOUR',
    'keys=a&startTs=1&endTs=9&useStrictDataTypes=maybe',
  ])('refuses %s with a JSON error', async (query) => {
    const answer = await get(`/values/timeseries?${query}`);
    expect(answer.json()).toMatchObject({ status: 400, errorCode: 31 });
  });
});
