import { ServerUnderTest } from '../testing/server-under-test';

let server: ServerUnderTest;
let token: string;
let id: string;
let count = 0;

beforeAll(async () => {
  server = await ServerUnderTest.start({ DATABASE_TS_MAX_INTERVALS: '700' });
  token = (await server.login()).token;
});
beforeEach(async () => {
  id = await server.createDevice(token, `device ${++count}`);
});
afterAll(() => server.stop());

const device = () => `/api/plugins/telemetry/DEVICE/${id}`;
const get = (query: string) => server.call('GET', `${device()}/values/timeseries?${query}`, { token });
const latest = async (key = 'a') => (await get(`keys=${key}`)).json<Record<string, unknown[]>>()[key]?.[0];
const remove = (query: string) => server.call('DELETE', `${device()}/timeseries/delete?${query}`, { token });

/** As a device posts it. */
async function sent(payload: string): Promise<void> {
  await server.core.telemetry.post(await server.session(id), Buffer.from(payload));
}

const records = (points: readonly (readonly [ts: number, values: string])[]) =>
  `[${points.map(([ts, values]) => `{"ts":${ts},"values":${values}}`)}]`;

/** `[ts, value]` of each point of the key. */
async function history(key: string, query = 'startTs=0&endTs=9000000000000&orderBy=ASC'): Promise<unknown[]> {
  const answer = await get(`key=${encodeURIComponent(key)}&${query}`);
  const points = answer.json<Record<string, { ts: number; value: unknown }[]>>()[key] ?? [];
  return points.map(({ ts, value }) => [ts, value]);
}

describe('aggregated history', () => {
  const MONDAY = Date.parse('2024-05-13T00:00:00Z');
  const DAY = 86_400_000;

  beforeEach(async () => {
    await sent(
      records([
        [1_000, '{"long":1,"mixed":1,"double":0.5,"text":"b","flag":true,"json":{"a":1}}'],
        [1_999, '{"long":9007199254740993,"mixed":2.5,"double":0.25,"text":"a","flag":false}'],
        [2_000, '{"long":-3,"mixed":"x","double":1.0E7,"text":"7.5e","flag":true,"json":[]}'],
        [4_500, '{"long":4,"mixed":7}'],
        [5_000, '{"long":100}'],
      ]),
    );
    await server.core.state.materialiser.caughtUp();
  });

  it.each<[string, string, string, [number, string][]]>([
    [
      'SUM',
      'long',
      'startTs=1000&endTs=5000&interval=1000',
      [
        [1_500, '9007199254740994'],
        [2_500, '-3'],
        [4_500, '4'],
      ],
    ],
    [
      'AVG',
      'double',
      'startTs=1000&endTs=3000&interval=1000',
      [
        [1_500, '0.375'],
        [2_500, '1.0E7'],
      ],
    ],
    ['AVG', 'long', 'startTs=2000&endTs=5001&interval=3001', [[3_500, '33.666666666666664']]],
    [
      'MIN',
      'long',
      'startTs=1000&endTs=5001&interval=2000',
      [
        [2_000, '-3'],
        [4_000, '4'],
        [5_000, '100'],
      ],
    ],
    [
      'MAX',
      'long',
      'startTs=1000&endTs=5001&interval=2000',
      [
        [2_000, '9007199254740993'],
        [4_000, '4'],
        [5_000, '100'],
      ],
    ],
    ['MAX', 'mixed', 'startTs=1000&endTs=2001&interval=5000', [[1_500, '2.5']]],
    ['SUM', 'mixed', 'startTs=1000&endTs=2001&interval=5000', [[1_500, '3.5']]],
    ['COUNT', 'mixed', 'startTs=1000&endTs=2001&interval=5000', [[1_500, '1']]],
    ['MIN', 'text', 'startTs=0&endTs=9000&interval=9000', [[4_500, '7.5e']]],
    ['MAX', 'text', 'startTs=0&endTs=9000&interval=9000', [[4_500, 'b']]],
    ['COUNT', 'text', 'startTs=0&endTs=9000&interval=9000', [[4_500, '3']]],
    ['COUNT', 'json', 'startTs=0&endTs=9000&interval=9000', [[4_500, '2']]],
    [
      'COUNT',
      'flag',
      'startTs=0&endTs=9000&interval=1000',
      [
        [1_500, '2'],
        [2_500, '1'],
      ],
    ],
    ['MAX', 'flag', 'startTs=0&endTs=9000&interval=9000', []],
    ['MIN', 'json', 'startTs=0&endTs=9000&interval=9000', []],
    ['AVG', 'text', 'startTs=0&endTs=9000&interval=9000', [[4_500, '0.0']]],
    ['SUM', 'flag', 'startTs=0&endTs=9000&interval=9000', [[4_500, '0']]],
    // The last interval is cut at the end of the range, and its middle with it.
    [
      'COUNT',
      'long',
      'startTs=1000&endTs=4501&interval=3000',
      [
        [2_500, '3'],
        [4_250, '1'],
      ],
    ],
    ['COUNT', 'long', 'startTs=4500&endTs=4501&interval=1', [[4_500, '1']]],
    ['COUNT', 'long', 'startTs=-5000&endTs=1001&interval=6000', [[1_000, '1']]],
    ['COUNT', 'long', 'startTs=4500&endTs=4500&interval=1', []],
    ['COUNT', 'nope', 'startTs=0&endTs=9000&interval=9000', []],
    [
      'COUNT',
      'long',
      'startTs=-9223372036854775808&endTs=9223372036854775807&interval=9007199254740991',
      [[4503599627370495, '5']],
    ],
    ['COUNT', 'long', 'startTs=0&endTs=9000&intervalType=MONTH', [[4_500, '5']]],
    ['COUNT', 'long', 'startTs=0&endTs=9000&interval=5&intervalType=WEEK&timeZone=Europe/Berlin', [[4_500, '5']]],
  ])('is the %s of %s over %s', async (agg, key, query, expected) => {
    expect(await history(key, `agg=${agg}&${query}&limit=1&orderBy=DESC`)).toEqual(expected);
  });

  it.each<[string, string, [number, string][]]>([
    [
      'WEEK_ISO',
      'UTC',
      [
        [MONDAY + 3.5 * DAY, '7'],
        [MONDAY + 8 * DAY, '2'],
      ],
    ],
    [
      'WEEK',
      'UTC',
      [
        [MONDAY + 3 * DAY, '6'],
        [MONDAY + 7.5 * DAY, '3'],
      ],
    ],
    [
      'WEEK_ISO',
      'Asia/Tokyo',
      [
        [MONDAY + 3.3125 * DAY, '7'],
        [MONDAY + 7.8125 * DAY, '2'],
      ],
    ],
    ['MONTH', '', [[MONDAY + 4.5 * DAY, '9']]],
    ['QUARTER', 'America/New_York', [[MONDAY + 4.5 * DAY, '9']]],
  ])('follows the calendar: %s, %s', async (type, zone, expected) => {
    await sent(records(Array.from({ length: 9 }, (_, day) => [MONDAY + day * DAY, '{"day":1}'] as const)));
    await server.core.state.materialiser.caughtUp();
    const range = `startTs=${MONDAY}&endTs=${MONDAY + 9 * DAY}`;
    expect(await history('day', `agg=SUM&intervalType=${type}&timeZone=${zone}&${range}`)).toEqual(expected);
  });

  it('is of several keys in the order asked for, without those that have nothing, typed when types are asked for', async () => {
    const { text } = await get(
      'keys=mixed,nope,long&agg=MAX&startTs=1000&endTs=2000&interval=1000&useStrictDataTypes=true',
    );
    expect(text).toBe('{"mixed":[{"ts":1500,"value":2.5}],"long":[{"ts":1500,"value":9007199254740993}]}');
    expect((await get('keys=nope&agg=MAX&startTs=1000&endTs=2000&interval=1000')).text).toBe('{}');
  });

  it('is exact over more points than are read at once', async () => {
    const many = Array.from({ length: 12_345 }, (_, n) => [100_000 + n, `{"many":${n}}`] as const);
    await sent(records(many));
    await server.core.state.materialiser.caughtUp();
    const range = 'startTs=100000&endTs=112345';
    expect(await history('many', `agg=COUNT&${range}&interval=5000`)).toEqual([
      [102_500, '5000'],
      [107_500, '5000'],
      [111_172, '2345'],
    ]);
    expect(await history('many', `agg=SUM&${range}&interval=20000`)).toEqual([
      [106_172, String((12_344 * 12_345) / 2)],
    ]);
  });

  it('may have 700 intervals, where a short one counts as a second', async () => {
    expect(await history('long', 'agg=COUNT&startTs=0&endTs=700999&interval=1000')).toHaveLength(4);
    expect(await history('long', 'agg=COUNT&startTs=0&endTs=700000&interval=1')).toHaveLength(5);
  });

  it.each([
    ['startTs=0&endTs=701000&interval=1000', 'The range has 701 intervals, and at most 700 are allowed: '],
    ['startTs=0&endTs=701000&interval=1', 'The range has 701 intervals, and at most 700 are allowed: '],
    ['startTs=0&endTs=500000000000&intervalType=WEEK', 'The range has 826 intervals, and at most 700 are allowed: '],
    ['startTs=10&endTs=9&interval=1000', "'endTs' must not be before 'startTs'"],
    ['startTs=10&endTs=9&intervalType=MONTH', "'endTs' must not be before 'startTs'"],
    ['startTs=0&endTs=9&interval=-1', "'interval' must be at least 1 ms"],
    ['startTs=0&endTs=9223372036854775807&intervalType=QUARTER', 'A range beyond the calendar has no intervals'],
  ])('is refused with a text: %s', async (query, sentence) => {
    const answer = await get(`keys=long&agg=AVG&${query}`);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([400, 'text/plain;charset=UTF-8']);
    expect(answer.text.slice(0, sentence.length)).toBe(sentence);
  });
});

describe('time series that the server API writes', () => {
  const save = (body: string, end = 'ANY') => server.call('POST', `${device()}/timeseries/${end}`, { token, body });
  const caughtUp = () => server.core.state.materialiser.caughtUp();

  it.each(['ANY', 'TELEMETRY', 'SERVER_SCOPE', 'ANY/0', 'ANY/3600'])(
    'are taken whatever the scope: %s',
    async (end) => {
      const answer = await save('{"a":42.0,"b":"on"}', end);
      expect([answer.status, answer.text]).toEqual([200, '']);
      await caughtUp();
      const ts = server.clock.now();
      expect(await history('a')).toEqual([[ts, '42.0']]);
      expect(await latest('b')).toEqual({ ts, value: 'on' });
    },
  );

  it('come in every form that devices may send, typed in the same way', async () => {
    await save('{"ts":10,"values":{"a":1,"b":"2.50","c":{"x":1.0}}}');
    await save('[{"ts":20,"values":{"a":2}},{"a":3}]');
    await caughtUp();
    expect(await history('a')).toEqual([
      [10, '1'],
      [20, '2'],
      [server.clock.now(), '3'],
    ]);
    expect(await history('b')).toEqual([[10, '2.5']]);
    expect(await history('c')).toEqual([[10, '{"x":1.0}']]);
  });

  it('leave the history when their ttl is over', async () => {
    // The store's clock is real, that of the server stands still, long ago.
    await save('{"ts":10,"values":{"a":1}}', 'ANY/1');
    await save('{"ts":20,"values":{"a":1}}', 'ANY/100000000000');
    await save('{"ts":30,"values":{"a":1}}', 'ANY/0');
    await caughtUp();
    await server.core.state.materialiser.swept();
    expect(await history('a')).toEqual([
      [20, '1'],
      [30, '1'],
    ]);
  });

  it.each([
    ['{"a":', 'Unable to parse time series payload: Invalid JSON body!'],
    ['{"a":1} {"b":2}', 'Unable to parse time series payload: Invalid JSON body!'],
    ['', "Unable to parse time series payload. Invalid JSON body: Can't parse value: null"],
    ['"text"', "Unable to parse time series payload. Invalid JSON body: Can't parse value: "],
    ['[1]', "Unable to parse time series payload. Invalid JSON body: Can't parse value: 1"],
    ['{"ts":"x","values":{"a":1}}', 'Unable to parse time series payload. Invalid JSON body: `ts` is not a number'],
    ['{" ":1,"a":2}', 'Unable to parse time series payload. Invalid JSON body: a key is blank, longer than 255'],
    [`{"${'k'.repeat(256)}":1}`, 'Unable to parse time series payload. Invalid JSON body: a key is blank, longer'],
    ['{}', 'No time series data found in request body!'],
    ['[]', 'No time series data found in request body!'],
    ['{"a":null}', 'No time series data found in request body!'],
    ['[{"ts":1,"values":{}}]', 'No time series data found in request body!'],
  ])('are refused as a whole with a text: %s', async (body, sentence) => {
    const answer = await save(body);
    expect([answer.status, answer.text.slice(0, sentence.length)]).toEqual([400, sentence]);
    expect(answer.headers.get('content-type')).toBe('text/plain;charset=UTF-8');
    await caughtUp();
    expect((await get('')).text).toBe('{}');
  });

  it.each(['ANY/-1', 'ANY/x', 'ANY/1.5', 'ANY/100000000001'])('have a ttl of whole seconds: %s', async (end) => {
    const answer = await save('{"a":1}', end);
    expect(answer.json()).toMatchObject({ status: 400, errorCode: 31 });
  });

  it('of a device there is not are refused before they are read', async () => {
    const path = '/api/plugins/telemetry/DEVICE/784f394c-42b6-435a-983c-b7beff2784f9/timeseries/ANY';
    const answer = await server.call('POST', path, { token, body: '{"a":' });
    expect([answer.status, answer.text]).toEqual([404, "Device with requested id wasn't found!"]);
  });
});

describe('deleting time series', () => {
  beforeEach(() => sent(records([10, 20, 30].map((ts) => [ts, `{"a":${ts},"b":${ts},"c,d":${ts}}`] as const))));

  it.each<[string, number[], number | null]>([
    ['keys=a&startTs=10&endTs=30', [30], 30],
    ['keys=a&startTs=11&endTs=31', [10], null],
    ['keys=a&startTs=11&endTs=31&rewriteLatestIfDeleted=true', [10], 10],
    ['keys=a&startTs=11&endTs=31&deleteLatest=false', [10], 30],
    ['keys=a&startTs=11&endTs=31&deleteLatest=false&rewriteLatestIfDeleted=true', [10], 30],
    ['keys=a&startTs=11&endTs=31&deleteLatest=', [10], null],
    ['keys=a&deleteAllDataForKeys=true', [], null],
    ['keys=a&deleteAllDataForKeys=true&startTs=10&endTs=20', [], null],
    ['keys=a&deleteAllDataForKeys=true&deleteLatest=false', [], 30],
    ['keys=nope&deleteAllDataForKeys=true', [10, 20, 30], 30],
    ['keys=a&startTs=30&endTs=10', [10, 20, 30], 30],
    ['key=a&startTs=-9223372036854775808&endTs=9223372036854775807', [], null],
  ])('takes away what was accepted before it: %s', async (query, left, newest) => {
    // Not waited for: what is still in the log counts as well.
    const answer = await remove(query);
    expect([answer.status, answer.text]).toEqual([200, '']);
    expect(await history('a')).toEqual(left.map((ts) => [ts, String(ts)]));
    expect(await latest()).toEqual(
      newest === null ? { ts: server.clock.now(), value: null } : { ts: newest, value: String(newest) },
    );
    expect(await history('b')).toHaveLength(3);
  });

  it('is of all keys that are named, also of those with a comma', async () => {
    await remove('keys=a,b&key=c,d&deleteAllDataForKeys=true');
    expect((await server.call('GET', `${device()}/keys/timeseries`, { token })).json()).toEqual([]);
    expect((await get('')).text).toBe('{}');
  });

  it.each([
    ['keys=', 'Empty keys: '],
    ['keys=,', 'Empty keys: ,'],
    ['keys=a', "'startTs' and 'endTs' are required unless 'deleteAllDataForKeys' is true"],
    ['keys=a&startTs=1', "'startTs' and 'endTs' are required unless 'deleteAllDataForKeys' is true"],
    ['keys=a&startTs=1&endTs=', "'startTs' and 'endTs' are required unless 'deleteAllDataForKeys' is true"],
  ])('is refused with a text: %s', async (query, sentence) => {
    const answer = await remove(query);
    expect([answer.status, answer.text]).toEqual([400, sentence]);
  });

  it.each([
    'deleteAllDataForKeys=true',
    'keys=a&startTs=x&endTs=2',
    'keys=a&deleteAllDataForKeys=perhaps',
    'keys=a&deleteAllDataForKeys=true&deleteLatest=1',
  ])('is refused with a JSON error: %s', async (query) => {
    expect((await remove(query)).json()).toMatchObject({ status: 400, errorCode: 31 });
    await server.core.state.materialiser.caughtUp();
    expect(await history('a')).toHaveLength(3);
  });
});

describe('What is saved by the server API', () => {
  it.each(['ANY', 'ANY/60'])('can be read as soon as it is answered, with %s', async (scope) => {
    for (let n = 0; n < 5; n++) {
      const body = { ts: 1_000 + n, values: { saved: n } };
      expect((await server.call('POST', `${device()}/timeseries/${scope}`, { token, body })).status).toBe(200);
      expect(await latest('saved')).toEqual({ ts: 1_000 + n, value: String(n) });
      expect(await history('saved')).toHaveLength(n + 1);
    }
  });
});
