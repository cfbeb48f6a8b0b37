import { once } from 'node:events';
import { createServer, IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import express from 'express';
import { createApp, createHttpServer, ListenError, listen } from './http-server';

const HERE = { host: '127.0.0.1', port: 0 };

it('serves routes of Express on the requests of node:http, whose prototypes it leaves alone', async () => {
  const app = createApp();
  app.use(express.json());
  app.post('/echo/:id', (request, response) => {
    const plain = Object.getPrototypeOf(request) === IncomingMessage.prototype;
    response.end(JSON.stringify({ id: request.params.id, body: request.body, plain }));
  });
  const server = createHttpServer(app);
  const { port } = await listen(server, HERE);
  const answer = await fetch(`http://127.0.0.1:${port}/echo/7?a=1`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '{"b":2}',
  });
  expect(answer.headers.get('x-powered-by')).toBeNull();
  expect(answer.headers.get('etag')).toBeNull();
  expect(await answer.json()).toEqual({ id: '7', body: { b: 2 }, plain: true });
  server.close();
  server.closeAllConnections();
});

it('says in one line which port is in use', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const failure = await listen(createHttpServer(createApp()), { host: '127.0.0.1', port }).catch((error) => error);
  expect(failure).toBeInstanceOf(ListenError);
  expect(failure.message).toBe(`port ${port} (TCP) on 127.0.0.1 is in use by another process`);
  other.close();
});

it('says in one line that the machine does not have an address', async () => {
  const failure = await listen(createHttpServer(createApp()), { host: '192.0.2.1', port: 0 }).catch((error) => error);
  expect(failure).toBeInstanceOf(ListenError);
  expect(failure.message).toMatch(/^port 0 \(TCP\) on 192\.0\.2\.1 cannot be had[^\n]*$/);
});

describe('What is no request that could be served', () => {
  const server = createHttpServer(
    createApp().use((request, response) => {
      request.resume();
      if (request.url === '/begun') response.write('begun');
      if (request.url === '/served') response.end('served');
    }),
    { limits: { headersTimeout: 50, bodyRate: { min: 1_000_000, grace: 50 }, checkInterval: 20 } },
  );
  let port: number;
  beforeAll(async () => {
    ({ port } = await listen(server, HERE));
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });

  async function send(text: string): Promise<string> {
    const socket = connect(port, '127.0.0.1').setEncoding('utf8');
    socket.write(text);
    let answer = '';
    socket.on('data', (piece: string) => {
      answer += piece;
    });
    await once(socket, 'close');
    return answer;
  }

  it.each([
    ['that is not HTTP', 'nonsense\r\n\r\n', 400, 'The request is not HTTP as it should be'],
    [
      'with two lengths',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      400,
      /not HTTP/,
    ],
    ['with bad chunks', 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 400, /not HTTP/],
    ['with endless headers', `GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(20_000)}\r\n\r\n`, 431, /headers/],
    ['that does not come', 'GET / HTTP/1.1\r\nHost: x\r\n', 408, 'The request did not arrive in time'],
    ['whose body does not come', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n', 408, /in time/],
    [
      'that expects something',
      'POST /served HTTP/1.1\r\nHost: x\r\nExpect: foo\r\nContent-Length: 2\r\n\r\n{}',
      417,
      /100-continue/,
    ],
  ])('one %s gets the error JSON, and the connection ends', async (_name, text, status, message) => {
    const [head = '', body = ''] = (await send(text)).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} \\w`));
    expect(head).toMatch(/^Connection: close$/m);
    expect(head).toContain(`Content-Length: ${Buffer.byteLength(body)}`);
    expect(JSON.parse(body)).toEqual({
      status,
      message: typeof message === 'string' ? message : expect.stringMatching(message),
      errorCode: status === 408 ? 2 : 31,
      timestamp: expect.any(Number),
    });
  });

  it('gets nothing written into an answer that has begun', async () => {
    const begun = await send('GET /begun HTTP/1.1\r\nHost: x\r\n\r\nnonsense\r\n\r\n');
    expect(begun).toMatch(/^HTTP\/1.1 200 /);
    expect(begun).not.toContain('HTTP/1.1 400');
  });
});

describe('A server that upgrades some requests', () => {
  const server = createHttpServer(
    createApp().use((request, response) => {
      let body = '';
      request.on('data', (piece) => {
        body += piece;
      });
      request.on('end', () => response.end(`${request.method} ${request.url} ${body} as ever`));
    }),
    {
      upgrades: {
        takes: ({ url }) => url === '/live',
        upgrade: (_request, socket) => void socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
      },
    },
  );
  let port: number;
  beforeAll(async () => {
    ({ port } = await listen(server, HERE));
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });

  async function ask(target: string, upgrade: string, body = ''): Promise<string> {
    const socket = connect(port, '127.0.0.1');
    const head = [`POST ${target} HTTP/1.1`, 'Host: x', 'Connection: Upgrade, HTTP2-Settings, close'];
    socket.write([...head, `Upgrade: ${upgrade}`, `Content-Length: ${body.length}`, '', body].join('\r\n'));
    let text = '';
    socket.on('data', (piece) => {
      text += piece;
    });
    await once(socket, 'close');
    return text;
  }

  /** All that comes back until the server closes the connection. */
  async function tell(...requests: string[]): Promise<string> {
    const socket = connect(port, '127.0.0.1');
    socket.write(requests.join(''));
    let text = '';
    socket.on('data', (piece) => {
      text += piece;
    });
    await once(socket, 'close');
    return text;
  }
  const upgrade = (version = '1.1', host = 'Host: x\r\n') =>
    `GET /live HTTP/${version}\r\n${host}Connection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n`;

  it('never writes an answer into the other protocol: a request behind an open one is served as if it had not asked', async () => {
    const text = await tell('POST /first HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n', upgrade());
    expect(text.match(/HTTP\/1.1 \d+|[A-Z]+ \/\w+ {2}as ever/g)).toEqual([
      ...['HTTP/1.1 200', 'POST /first  as ever'],
      ...['HTTP/1.1 200', 'GET /live  as ever'],
    ]);
  });

  it('hands over what comes once everything before is answered', async () => {
    const socket = connect(port, '127.0.0.1').setEncoding('utf8');
    socket.write('GET /first HTTP/1.1\r\nHost: x\r\n\r\n');
    let text = '';
    socket.on('data', (piece: string) => {
      text += piece;
      if (piece.endsWith('as ever')) socket.write(upgrade());
    });
    await once(socket, 'close');
    expect(text).toMatch(/^HTTP\/1.1 200 .*HTTP\/1.1 101 /s);
  });

  it('hands over nothing of HTTP/1.0, and nothing without a host', async () => {
    expect(await tell(upgrade('1.0'))).toMatch(/^HTTP\/1.1 200 /);
    expect(await tell(upgrade('1.1', ''))).toMatch(/^HTTP\/1.1 400 /);
    expect(await tell(upgrade('1.0', ''))).toMatch(/^HTTP\/1.1 200 /);
  });

  it('hands over those that are taken', async () => {
    expect(await ask('/live', 'WebSocket')).toMatch(/^HTTP\/1.1 101 /);
  });

  it.each([
    ['h2c', '/live'],
    ['h2c', '/other'],
    ['websocket', '/other'],
  ])('serves any other one as if it had not asked, with its body: %s at %s', async (upgrade, target) => {
    const text = await ask(target, upgrade, '{"a":1}');
    expect(text).toMatch(/^HTTP\/1.1 200 /);
    expect(text).toContain(`POST ${target} {"a":1} as ever`);
  });
});
