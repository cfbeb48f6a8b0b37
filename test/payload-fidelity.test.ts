import { execFileSync } from 'node:child_process';
import { CoapDevice } from './support/coap-device';
import { cleanUp, GatewayProcess } from './support/gateway-process';
import { HttpDevice } from './support/http-device';
import { ServerClient } from './support/server-client';

/** 400 / 4.00. */
const REFUSED = 'refused';
/** Success, and nothing stored. */
const NOTHING = 'nothing';

/**
 * A value as a device writes it, and as it is read again, character by character (contract 3.1 to 3.6). The third column is
 * JSON_TYPE_CAST_ENABLED=false, where that makes a difference.
 */
const VALUES: readonly [written: string, read: string, uncast?: string][] = [
  ['42', '42'],
  ['42.0', '42.0'],
  ['-42.50', '-42.5'],
  ['1e2', '100'],
  ['1.50e1', '15'],
  ['15e-1', '1.5'],
  ['0.0', '0.0'],
  ['-0', '0'],
  ['12345678.0', '1.2345678E7'],
  ['10000000000.0', '1.0E10'],
  ['0.0001', '1.0E-4'],
  ['0.1234567890123456', '0.1234567890123456'],
  ['0.30000000000000004', '"0.30000000000000004"'],
  ['9007199254740993', '9007199254740993'],
  ['9223372036854775807', '9223372036854775807'],
  ['-9223372036854775808', '-9223372036854775808'],
  ['9223372036854775808', '"9223372036854775808"', REFUSED],
  ['1e19', '"10000000000000000000"', REFUSED],
  ['1e999999999', REFUSED],
  ['007', '7'],
  ['.5', '0.5'],
  ['+5', '"+5"'],
  ['5.', '"5."'],
  ['0x1F', '"0x1F"'],
  ['NaN', '"NaN"'],
  ['-Infinity', '"-Infinity"'],
  ['"42"', '42', '"42"'],
  ['"42.0"', '42.0', '"42.0"'],
  ['"007"', '7', '"007"'],
  ['"-.5"', '-0.5', '"-.5"'],
  ['"٤٢"', '42', '"٤٢"'],
  ['"9223372036854775808"', '"9223372036854775808"'],
  ['"+5"', '"+5"'],
  ['"1e5"', '"1e5"'],
  ['" 42"', '" 42"'],
  ['"5."', '"5."'],
  ['"-"', '"-"'],
  ['""', '""'],
  ['"true"', '"true"'],
  ['TRUE', 'true'],
  ['false', 'false'],
  ['NULL', NOTHING],
  ["'single'", '"single"'],
  ['word', '"word"'],
  ['two words', REFUSED],
  ['"<b>&\'</b>"', '"<b>&\'</b>"'],
  ['"a\\u0000\\n\\"\\\\\\/"', '"a\\u0000\\n\\"\\\\/"'],
  ['"𐅑\\ud800"', '"𐅑\\ud800"'],
  ['"a\nb"', '"a\\nb"'],
  ['{}', '{}'],
  ['[]', '[]'],
  ['{"z":42.0,"a":"42","10":1e2,"1":{"b":null}}', '{"z":42.0,"a":"42","10":1e2,"1":{"b":null}}'],
  ['{"a":1,"b":2,"a":3}', '{"a":3,"b":2}'],
  ['{"__proto__":{"constructor":1}}', '{"__proto__":{"constructor":1}}'],
  ['[9223372036854775808, 0.30000000000000004, -0.0 , "7"]', '[9223372036854775808,0.30000000000000004,-0.0,"7"]'],
  ['[1,]', '[1,null]'],
  ['{"a":1,}', REFUSED],
];

const CAST = { true: 'on', false: 'off' } as const;

afterAll(cleanUp);

describe.each(['true', 'false'] as const)('With JSON_TYPE_CAST_ENABLED=%s', (cast) => {
  let gateway: GatewayProcess;
  let http: HttpDevice;
  let coap: CoapDevice;
  beforeAll(async () => {
    gateway = await GatewayProcess.start({ JSON_TYPE_CAST_ENABLED: cast, JSON_MAX_STRING_VALUE_LENGTH: '300' });
    const server = await ServerClient.login(gateway.http);
    await server.createDevice(`http-${CAST[cast]}`);
    await server.createDevice(`coap-${CAST[cast]}`);
    http = new HttpDevice(gateway.http, `http-${CAST[cast]}`);
    coap = await CoapDevice.open(gateway.coap, `coap-${CAST[cast]}`);
  });
  afterAll(() => coap.close());

  const expected = ([, read, uncast]: (typeof VALUES)[number]) => (cast === 'true' ? read : (uncast ?? read));
  const overHttp = async (body: string) => String((await http.post('attributes', body)).status);
  const overCoap = async (body: string) => (await coap.post('attributes', body)).code;
  /** All attributes as they come, over both protocols. */
  const readHttp = async (token: string) =>
    (await fetch(`http://127.0.0.1:${gateway.http}/api/v1/${token}/attributes`)).text();
  const readCoap = (token: string) =>
    execFileSync('coap-client-notls', ['-m', 'get', `coap://127.0.0.1:${gateway.coap}/api/v1/${token}/attributes`])
      .toString()
      .trimEnd();

  it('a value is read as it was written, over both protocols', async () => {
    const members: string[] = [];
    for (const [index, row] of VALUES.entries()) {
      const key = `k${String(index).padStart(2, '0')}`;
      const answers = [await overHttp(`{"${key}":${row[0]}}`), await overCoap(`{"${key}":${row[0]}}`)];
      const isRefused = expected(row) === REFUSED;
      expect([row[0], ...answers]).toEqual([row[0], ...(isRefused ? ['400', '4.00'] : ['200', '2.01'])]);
      if (!isRefused && expected(row) !== NOTHING) members.push(`"${key}":${expected(row)}`);
    }
    const all = `{"client":{${members.join(',')}}}`;
    expect((await readHttp(`http-${CAST[cast]}`)).split(',"k')).toEqual(all.split(',"k'));
    expect(await readHttp(`coap-${CAST[cast]}`)).toBe(all);
    expect(readCoap(`http-${CAST[cast]}`)).toBe(all);
    expect(readCoap(`coap-${CAST[cast]}`)).toBe(all);
  });

  it('keys and strings beyond their lengths are told from those within, and leave the others alone', async () => {
    const [longest, longer] = ['k'.repeat(255), 'k'.repeat(256)];
    const text = 's'.repeat(300);
    for (const [post, done, refused] of [
      [overHttp, '200', '400'],
      [overCoap, '2.01', '4.00'],
    ] as const) {
      expect(await post(`{"${longest}":1,"${longer}":2," ":3,"":4,"text":"${text}"}`)).toBe(done);
      expect(await post(`{"lost":1,"text":"${text}s"}`)).toBe(refused);
    }
    for (const token of [`http-${CAST[cast]}`, `coap-${CAST[cast]}`]) {
      const { client } = JSON.parse(await readHttp(token)) as { client: Record<string, unknown> };
      expect(Object.keys(client).filter((key) => !/^k\d\d$/.test(key))).toEqual([longest, 'text']);
      expect(client.text).toBe(text);
    }
  });
});
