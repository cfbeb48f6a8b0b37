import { cleanUp, GatewayProcess } from '../support/gateway-process';
import { RawConnection, statusesOf } from '../support/raw-http';
import { ServerClient } from '../support/server-client';

const TOKEN = 'parsed-device';
const POST = `POST /api/v1/${TOKEN}/telemetry HTTP/1.1\r\nHost: gateway\r\n`;
const CLOSE = 'Connection: close\r\n';
const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const BODY = '{"a":1}';
const BROKEN = '{"broken":1}';
/** A request that is in order, to be hidden in others. */
const SMUGGLED = `${POST}Content-Length: ${BODY.length}\r\n\r\n${BODY}`;

let gateway: GatewayProcess;
let server: ServerClient;
let deviceId: string;
beforeAll(async () => {
  gateway = await GatewayProcess.start({
    HTTP_TRANSPORT_MAX_PAYLOAD_SIZE_LIMIT_CONFIGURATION: '/api/v1/*/rpc/**=50;/api/v1/**=1000000',
  });
  server = await ServerClient.login(gateway.http);
  deviceId = await server.createDevice(TOKEN);
});
afterAll(cleanUp);

const messages = () => gateway.metric('tandem_http_received_requests_total', { operation: 'telemetry' });

/** The statuses of all that comes back until the connection ends, and how many messages of telemetry were served for it, well or ill. */
async function outcome(text: string): Promise<{ readonly statuses: number[]; readonly served: number }> {
  const before = await messages();
  const statuses = statusesOf(await RawConnection.tell(gateway.http, text));
  return { statuses, served: (await messages()) - before };
}

describe('A request whose end could be understood in two ways is refused, its connection ends, and nothing behind it is served', () => {
  it.each([
    ['a length and chunks', `${POST}Content-Length: 4\r\n${CHUNKED}\r\n0\r\n\r\n`],
    ['chunks and a length', `${POST}${CHUNKED}Content-Length: 4\r\n\r\n0\r\n\r\n`],
    ['two lengths', `${POST}Content-Length: 7\r\nContent-Length: 100\r\n\r\n${BODY}`],
    ['the same length twice', `${POST}Content-Length: 7\r\nContent-Length: 7\r\n\r\n${BODY}`],
    ['a list of lengths', `${POST}Content-Length: 7, 7\r\n\r\n${BODY}`],
    ['a length with a sign', `${POST}Content-Length: +7\r\n\r\n${BODY}`],
    ['a length in hexadecimal', `${POST}Content-Length: 0x7\r\n\r\n${BODY}`],
    ['a length beyond all numbers', `${POST}Content-Length: 99999999999999999999999\r\n\r\n${BODY}`],
    ['an encoding after chunks', `${POST}${CHUNKED}Transfer-Encoding: identity\r\n\r\n7\r\n${BODY}\r\n0\r\n\r\n`],
    ['chunks in chunks', `${POST}Transfer-Encoding: chunked, chunked\r\n\r\n7\r\n${BODY}\r\n0\r\n\r\n`],
    ['a space before the colon', `${POST}Transfer-Encoding : chunked\r\n\r\n7\r\n${BODY}\r\n0\r\n\r\n`],
    ['a vertical tab for a space', `${POST}Transfer-Encoding:\x0bchunked\r\n\r\n7\r\n${BODY}\r\n0\r\n\r\n`],
    ['a folded header', `${POST}Transfer-Encoding:\r\n chunked\r\n\r\n7\r\n${BODY}\r\n0\r\n\r\n`],
    ['a header folded at its value', `${POST}X: a\r\n b\r\nContent-Length: 7\r\n\r\n${BODY}`],
    ['a space before the first header', `POST /api/v1/${TOKEN}/telemetry HTTP/1.1\r\n Host: x\r\n\r\n`],
    ['lines that end with LF alone', SMUGGLED.replaceAll('\r\n', '\n')],
    ['a line that ends with CR alone', `${POST}X: a\rContent-Length: 7\r\n\r\n${BODY}`],
    ['a NUL in a header', `${POST}X: a\0b\r\nContent-Length: 7\r\n\r\n${BODY}`],
    ['a NUL in the path', `POST /api/v1/${TOKEN}\0/telemetry HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n${BODY}`],
    ['a header without a name', `${POST}: x\r\nContent-Length: 7\r\n\r\n${BODY}`],
    ['two hosts', `${POST}Host: other\r\nContent-Length: 7\r\n\r\n${BODY}`],
    ['no host', `POST /api/v1/${TOKEN}/telemetry HTTP/1.1\r\nContent-Length: 7\r\n\r\n${BODY}`],
    ['another version', `POST /api/v1/${TOKEN}/telemetry HTTP/1.2\r\nHost: x\r\nContent-Length: 7\r\n\r\n${BODY}`],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a method that is none', `POSTPOST /api/v1/${TOKEN}/telemetry HTTP/1.1\r\nHost: x\r\n\r\n`],
  ])('%s', async (_name, text) => {
    expect(await outcome(text + SMUGGLED)).toEqual({ statuses: [400], served: 0 });
  });

  it('headers that are too large, and too many of them', async () => {
    for (const headers of [`X: ${'a'.repeat(20_000)}\r\n`, 'a:\r\n'.repeat(3_000), 'a: b\r\n'.repeat(201)]) {
      expect(await outcome(`${POST}${headers}\r\n${SMUGGLED}`)).toEqual({ statuses: [431], served: 0 });
    }
  });

  it('an expectation that is not known', async () => {
    const text = `${POST}Expect: 200-ok\r\nContent-Length: 7\r\n\r\n${BODY}`;
    expect(await outcome(text)).toEqual({ statuses: [417], served: 0 });
  });

  it.each(['gzip, chunked', 'gzip\r\nTransfer-Encoding: chunked', 'identity, chunked', 'xchunked'])(
    'a coding that nobody takes off: %j',
    async (coding) => {
      const text = `${POST}Transfer-Encoding: ${coding}\r\n\r\n7\r\n${BODY}\r\n0\r\n\r\n`;
      expect(await outcome(text + SMUGGLED)).toEqual({ statuses: [501], served: 0 });
    },
  );

  it('a tunnel, which nobody gets', async () => {
    const text = `CONNECT internal:80 HTTP/1.1\r\nHost: internal:80\r\n\r\n${SMUGGLED}`;
    expect(await outcome(text)).toEqual({ statuses: [], served: 0 });
  });
});

describe('Chunks that are none end the request, and its message is not stored', () => {
  it.each([
    ['a size that is no number', `zz\r\n${BROKEN}\r\n0\r\n\r\n`],
    ['a size below 0', `-c\r\n${BROKEN}\r\n0\r\n\r\n`],
    ['a size with a prefix', `0xc\r\n${BROKEN}\r\n0\r\n\r\n`],
    ['a size beyond all numbers', `FFFFFFFFFFFFFFFFF\r\n${BROKEN}\r\n0\r\n\r\n`],
    ['more than the size says', `1\r\n${BROKEN}\r\n0\r\n\r\n`],
    ['LF alone', `c\n${BROKEN}\n0\n\n`],
    ['an endless extension', `c;${'e'.repeat(50_000)}\r\n${BROKEN}\r\n0\r\n\r\n`],
    ['a length in the trailer', `c\r\n${BROKEN}\r\n0\r\nContent-Length: 9\r\n\r\n`],
    ['a trailer without an end', `c\r\n${BROKEN}\r\n0\r\nX: ${'a'.repeat(50_000)}\r\n\r\n`],
  ])('%s', async (_name, chunks) => {
    const { statuses, served } = await outcome(`${POST}${CHUNKED}\r\n${chunks}${SMUGGLED}`);
    expect([400, 431]).toContain(statuses[0]);
    expect([statuses.length, served]).toEqual([1, 1]);
    expect(Object.keys(await server.latest(deviceId))).not.toContain('broken');
  });
});

describe('What is unusual, and in order, is served once', () => {
  it.each([
    ['100,000 chunks of one byte', () => chunked(`{"a":"${'x'.repeat(100_000)}"}`)],
    [
      'chunks with extensions',
      () => `${POST}${CLOSE}${CHUNKED}\r\n7;name=value;other="x"\r\n${BODY}\r\n0;last\r\n\r\n`,
    ],
    [
      'trailers, which mean nothing',
      () => `${POST}${CLOSE}${CHUNKED}\r\n7\r\n${BODY}\r\n0\r\nX-Authorization: x\r\n\r\n`,
    ],
    ['a target with an origin', () => line(`http://elsewhere.example/api/v1/${TOKEN}/telemetry`)],
    ['an upgrade to something else', () => line(undefined, 'Connection: upgrade\r\nUpgrade: h2c, foo/2\r\n')],
    ['an upgrade where there is none', () => line(undefined, 'Connection: upgrade\r\nUpgrade: websocket\r\n')],
    ['empty lines before it', () => `\r\n\r\n${line()}`],
  ])('%s', async (_name, text) => {
    expect(await outcome(text())).toEqual({ statuses: [200], served: 1 });
  });

  const line = (target = `/api/v1/${TOKEN}/telemetry`, headers = '') =>
    `POST ${target} HTTP/1.1\r\nHost: gateway\r\n${headers || CLOSE}Content-Length: 7\r\n\r\n${BODY}`.replace(
      'Connection: upgrade',
      'Connection: upgrade, close',
    );
  const chunked = (body: string) =>
    `${POST}${CLOSE}${CHUNKED}\r\n${[...body].map((byte) => `1\r\n${byte}\r\n`).join('')}0\r\n\r\n`;
});

it('Behind a request that is the last one of its connection nothing is served', async () => {
  const last = `${POST}${CLOSE}Content-Length: 7\r\n\r\n${BODY}`;
  expect(await outcome(last + SMUGGLED + SMUGGLED)).toEqual({ statuses: [200], served: 1 });
});

it('A request in order that garbage follows is answered as it is, so that nobody sends it again, and is the last one', async () => {
  const good = `${POST}Content-Length: 7\r\n\r\n${BODY}`;
  expect(await outcome(`${good}${good}garbage\r\n\r\n${SMUGGLED}`)).toEqual({ statuses: [200, 200], served: 2 });
  const broken = `${POST}${CHUNKED}\r\nzz\r\n`;
  expect(await outcome(`${good}${broken}${SMUGGLED}`)).toEqual({ statuses: [200, 400], served: 2 });
});

describe('A body that is a request itself is never served as one', () => {
  const held = `${SMUGGLED}${' '.repeat(100)}`;
  it.each([
    ['of a stranger', '/api/v1/nobody/attributes', 401],
    ['to a path that is not there', `/api/v1/${TOKEN}/nothing`, 404],
    ['with a method that is not there', `/api/v1/${TOKEN}/attributes/updates`, 405],
    ['that is too long', `/api/v1/${TOKEN}/rpc/1`, 413],
    ['to nowhere', '/elsewhere', 404],
    ['to the server API', '/api/device', 401],
    ['to a login', '/api/auth/login', 401],
  ])('%s', async (_name, path, status) => {
    for (const framing of [
      `Content-Length: ${held.length}\r\n\r\n${held}`,
      `${CHUNKED}\r\n${held.length.toString(16)}\r\n${held}\r\n0\r\n\r\n`,
    ]) {
      const { statuses, served } = await outcome(`POST ${path} HTTP/1.1\r\nHost: gateway\r\n${CLOSE}${framing}`);
      expect([statuses, served]).toEqual([[status], 0]);
    }
  });
});

it('All the while the gateway has served, and has found no fault of its own', async () => {
  expect(gateway.running).toBe(true);
  expect((await server.send('GET', '/api/auth/user')).status).toBe(200);
  expect(gateway.log.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([]);
  expect(gateway.stderr).toBe('');
});
