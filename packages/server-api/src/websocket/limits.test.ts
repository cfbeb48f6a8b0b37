import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import type { MetricName } from '@tandem/core';
import { ADMIN, ServerUnderTest } from '../testing/server-under-test';
import { WebSocketClient } from '../testing/web-socket-client';

const TELEMETRY = '/api/ws/plugins/telemetry';
let server: ServerUnderTest;
let token: string;
let id: string;
const open: WebSocketClient[] = [];

beforeAll(async () => {
  server = await ServerUnderTest.start({
    TANDEM_WS_MAX_SESSIONS: '8',
    TANDEM_WS_MAX_STRANGERS: '3',
    TANDEM_WS_MAX_STRANGERS_PER_ADDRESS: '2',
    TANDEM_TRUSTED_PROXIES: '127.0.0.1',
    TANDEM_WS_MAX_SESSIONS_PER_TENANT: '5',
    TANDEM_WS_MAX_SESSIONS_PER_USER: '4',
    TANDEM_WS_MAX_SUBSCRIPTIONS: '350',
    TANDEM_WS_MAX_SUBSCRIPTIONS_PER_SESSION: '300',
    TANDEM_WS_MAX_COMMANDS: '100',
    TANDEM_WS_SEND_BUFFER: '262144',
  });
  ({ token } = await server.login());
  id = await server.createDevice(token, 'watched');
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.close()));
  await settled('tandem_ws_sessions', 0);
  expect(gauge('tandem_ws_subscriptions')).toBe(0);
});
afterAll(() => server.stop());

const gauge = (name: MetricName) => server.core.metrics.value(name);

async function settled(name: MetricName, reading: number): Promise<void> {
  while (gauge(name) !== reading) await new Promise(setImmediate);
}

/**
 * @param deaf whether it reads nothing at first, and so answers nothing
 * @param from its address
 */
async function connect(target = `${TELEMETRY}?token=${token}`, deaf = false, from?: string): Promise<WebSocketClient> {
  const client = await WebSocketClient.open(server.port, target, deaf, from);
  open.push(client);
  return client;
}

const sub = (cmdId: number, more: object = {}) => ({ cmdId, entityId: id, scope: 'LATEST_TELEMETRY', ...more });
const post = async (values: object) =>
  server.core.telemetry.post(await server.session(id), Buffer.from(JSON.stringify(values)));

describe('A hostile WebSocket client', () => {
  it.each([
    ['a message of 32,769 bytes', (c: WebSocketClient) => c.send('x'.repeat(32_769)), '1009'],
    ['binary', (c: WebSocketClient) => c.socket.send(Buffer.from('{}')), '1003 Messages are text'],
    ['text that is no UTF-8', (c: WebSocketClient) => c.socket.send(Buffer.from([0xff]), { binary: false }), '1007'],
  ])('is closed for %s', async (_what, send, closed) => {
    const client = await connect();
    send(client);
    expect(await client.closed).toBe(closed);
  });

  it('may send 32,768 bytes', async () => {
    const client = await connect();
    const message = JSON.stringify({ tsSubCmds: [sub(1)] });
    client.send(message + ' '.repeat(32_768 - message.length));
    expect((await client.next()).errorCode).toBe(0);
  });

  it('is closed for what is no frame', async () => {
    const client = await connect();
    const raw = (client.socket as unknown as { _socket: { write(bytes: Buffer): void } })._socket;
    raw.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
    expect(await client.closed).toMatch(/^100[26]/);
  });

  it('is closed for a flood of commands, good or bad, and the process keeps none of them', async () => {
    const floods = [
      (n: number) => JSON.stringify({ tsSubCmds: [{ cmdId: n, unsubscribe: true }] }),
      () => 'garbage',
      () => '{}',
    ];
    for (const flood of floods) {
      const client = await connect();
      for (let n = 0; n <= 1_000; n++) client.send(flood(n));
      expect(await client.closed).toBe('1008 Too many commands');
    }
  });

  it('is closed for a flood before anybody knows who it is', async () => {
    const hanging = new Promise<never>(() => {});
    const spy = jest.spyOn(server.core.principals, 'ofSession').mockReturnValue(hanging);
    const client = await connect();
    for (let n = 0; n < 17; n++) client.send('{}');
    expect(await client.closed).toBe('1008 Too many commands');
    spy.mockRestore();
  });

  it('gets no more subscriptions than are allowed, and the session goes on', async () => {
    const client = await connect();
    for (let first = 1; first <= 320; first += 80) {
      client.send({ tsSubCmds: Array.from({ length: 80 }, (_, n) => sub(first + n)) });
    }
    const told = [];
    for (let n = 0; n < 320; n++) told.push(await client.next());
    const refused = told.filter(({ errorCode }) => errorCode !== 0);
    expect(new Set(refused.map(({ errorMsg }) => errorMsg))).toEqual(
      new Set(['At most 300 subscriptions are allowed in a session']),
    );
    expect([refused.length, gauge('tandem_ws_subscriptions')]).toEqual([20, 300]);
    const other = await connect();
    other.send({ tsSubCmds: Array.from({ length: 51 }, (_, n) => sub(n, { keys: 'z' })) });
    const others = [];
    for (let n = 0; n < 51; n++) others.push(await other.next());
    expect(others.filter(({ errorCode }) => errorCode !== 0)).toMatchObject([
      { errorCode: 1, errorMsg: 'There are too many subscriptions' },
    ]);
    await other.close();
    await post({ a: 1 });
    for (let n = 0; n < 300; n++) expect((await client.next()).data).toMatchObject({ a: [[expect.any(Number), '1']] });
  });

  it('that does not read is told and closed, and what it would have got takes no memory', async () => {
    const [slow, other] = [await connect(), await connect()];
    for (const client of [slow, other]) {
      client.send({ tsSubCmds: [sub(1, { keys: 'big' })] });
      await client.next();
    }
    slow.socket.pause();
    const big = 'x'.repeat(100_000);
    const closed = gauge('tandem_ws_slow_total') ?? 0;
    let posts = 0;
    while (gauge('tandem_ws_slow_total') === closed) {
      await post({ big, n: ++posts });
      expect((await other.next()).data?.big?.[0]?.[1]).toBe(big);
    }
    expect(gauge('tandem_ws_subscriptions')).toBe(1);
    slow.socket.resume();
    expect(await slow.closed).toBe('1008 Max pending updates limit reached!');
    await post({ big: 'last' });
    expect((await other.next()).data?.big?.[0]?.[1]).toBe('last');
  });

  it('is told where one answer by itself is too long', async () => {
    const client = await connect();
    await post(Object.fromEntries([1, 2, 3].map((n) => [`long${n}`, 'x'.repeat(100_000)])));
    await server.core.state.materialiser.caughtUp();
    const keys = 'long1,long2,long3';
    client.send({ tsSubCmds: [sub(1, { keys })], historyCmds: [sub(2, { keys, endTs: 8_000_000_000_000 })] });
    for (const told of [await client.next(), await client.next()]) {
      expect(told.errorMsg).toBe('The answer is too long: ask for fewer keys, a smaller limit or a shorter range');
    }
    expect(gauge('tandem_ws_subscriptions')).toBe(0);
  });
});

describe('WebSocket sessions', () => {
  it('are bounded for each user and tenant', async () => {
    const other = await server.addUser('colleague@example.org', { authority: 'TENANT_ADMIN' });
    const { token: colleague } = await server.login(other.email);
    const sessions = [];
    for (let n = 0; n < 4; n++) sessions.push(await connect());
    await settled('tandem_ws_strangers', 0);
    expect(await (await connect()).closed).toBe('1008 Max user sessions limit reached!');
    const fifth = await connect(`${TELEMETRY}?token=${colleague}`);
    await settled('tandem_ws_strangers', 0);
    expect(await (await connect(`${TELEMETRY}?token=${colleague}`)).closed).toBe(
      '1008 Max tenant sessions limit reached!',
    );
    await fifth.close();
    await settled('tandem_ws_sessions', 4);
    await sessions[0]?.close();
    await settled('tandem_ws_sessions', 3);
    const again = await connect();
    again.send({ tsSubCmds: [sub(1, { keys: 'a' })] });
    expect((await again.next()).errorCode).toBe(0);
  });

  it('of everybody who has the id of a public customer are bounded for each such customer', async () => {
    const { tenantId = '' } = (await server.core.state.accounts.findUserByEmail(ADMIN)) ?? {};
    const tokens = [];
    for (const title of ['one', 'other']) {
      const additionalInfo = '{"isPublic":true}';
      const { id: publicId } = await server.core.customers.create(tenantId, { title, additionalInfo });
      const answer = await server.call('POST', '/api/auth/login/public', { body: { publicId } });
      tokens.push(answer.json<{ token: string }>().token);
    }
    for (let n = 0; n < 4; n++) await connect(`${TELEMETRY}?token=${tokens[0]}`);
    await settled('tandem_ws_strangers', 0);
    expect(await (await connect(`${TELEMETRY}?token=${tokens[0]}`)).closed).toBe(
      '1008 Max user sessions limit reached!',
    );
    const other = await connect(`${TELEMETRY}?token=${tokens[1]}`);
    other.send({ tsSubCmds: [sub(1, { keys: 'a' })] });
    expect((await other.next()).errorCode).not.toBe(0);
  });

  it('of strangers are bounded: further ones get 429 and the time to come again', async () => {
    for (let n = 0; n < 3; n++) await connect('/api/ws', false, `192.0.2.${n}`);
    await expect(WebSocketClient.open(server.port, '/api/ws')).rejects.toThrow('429');
    expect(await upgradeRaw('/api/ws')).toMatch(
      /^HTTP\/1.1 429 Too Many Requests\r\n.*\r\nRetry-After: 5\r\n\r\n\{"status":429,"message":"There are too many WebSocket sessions","errorCode":33,/s,
    );
  });

  it('of no known plugin count among the strangers until their connections end', async () => {
    const clients = [];
    for (let n = 0; n < 3; n++) clients.push(await connect('/api/ws/plugins/notifications', true, `192.0.2.${n}`));
    expect(gauge('tandem_ws_strangers')).toBe(3);
    await expect(WebSocketClient.open(server.port, '/api/ws/plugins/other')).rejects.toThrow('429');
    for (const client of clients) {
      client.socket.resume();
      expect(await client.closed).toBe("1007 Can't find plugin with specified token!");
    }
  });

  it('of strangers are bounded for each address: others get in, and so does whoever has a good token in the URL', async () => {
    for (let n = 0; n < 2; n++) await connect('/api/ws', false, '192.0.2.1');
    for (const target of ['/api/ws', '/api/ws?token=nonsense', `${TELEMETRY}?token=a.b.c`]) {
      await expect(WebSocketClient.open(server.port, target, false, '192.0.2.1')).rejects.toThrow('429');
    }
    const known = await connect(undefined, false, '192.0.2.1');
    known.send({ tsSubCmds: [sub(1, { keys: 'a' })] });
    expect((await known.next()).errorCode).toBe(0);
    await connect('/api/ws', false, '192.0.2.2');
    expect(gauge('tandem_ws_strangers')).toBe(3);
    const also = await connect(undefined, false, '192.0.2.3');
    also.send({ tsSubCmds: [sub(1, { keys: 'a' })] });
    expect((await also.next()).errorCode).toBe(0);
  });

  it('that are half open are cut', async () => {
    const client = await connect();
    const [dead, alive] = [await connect(), client];
    await settled('tandem_ws_strangers', 0);
    dead.socket.pause();
    for (let n = 0; n < 3; n++) {
      const pinged = once(alive.socket, 'ping');
      server.clock.advance(10_000);
      await pinged;
      // The answer has to get there before the clock jumps on.
      alive.send({ tsSubCmds: [{ cmdId: 1, unsubscribe: true }, sub(2)] });
      await alive.next();
    }
    await settled('tandem_ws_sessions', 1);
    dead.socket.terminate();
  });

  it('refuse what is no WebSocket handshake', async () => {
    for (const [asked, answer] of [
      [upgradeRaw('/api/ws', 'Sec-WebSocket-Key: x'), '400 Bad Request|Missing or invalid Sec-WebSocket-Key header|31'],
      [
        upgradeRaw('/api/ws', 'Sec-WebSocket-Version: 3'),
        '400 Bad Request|Missing or invalid Sec-WebSocket-Version header|31',
      ],
      [upgradeRaw('/api/ws', '', 'POST'), '405 Method Not Allowed|Invalid HTTP method|31'],
    ] as const) {
      const [head = '', body = ''] = (await asked).split('\r\n\r\n');
      expect(head).toContain('\r\nSec-WebSocket-Version: 13');
      const { status, message, errorCode, timestamp, ...rest } = JSON.parse(body) as Record<string, unknown>;
      expect([head.split('\r\n')[0], rest]).toEqual([`HTTP/1.1 ${answer.split('|')[0]}`, {}]);
      expect(`${status}|${message}|${errorCode}`).toBe(answer.replace(/ [^|]*/, ''));
      expect(timestamp).toBe(server.clock.now());
    }
  });
});

/** The whole answer to a handshake. */
async function upgradeRaw(path: string, more = '', method = 'GET'): Promise<string> {
  const socket = connectTcp(server.port, '127.0.0.1');
  const key = more.includes('Key') ? more : `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n${more}`;
  const version = more.includes('Version') ? '' : 'Sec-WebSocket-Version: 13\r\n';
  socket.write(
    `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${version}${key}\r\n\r\n`.replace(
      '\r\n\r\n\r\n',
      '\r\n\r\n',
    ),
  );
  let text = '';
  socket.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  await once(socket, 'close');
  return text;
}
