import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { Callers, type LabelValue, MetricsRegistry, parseIpNetwork } from '@tandem/core';
import { FakeClock } from '@tandem/core/testing';
import { createApp, createHttpServer, listen } from '../http-server';
import type { HttpLimits } from './http-limits';

const LOOK = 1_000;
const SILENT = { error() {}, warn() {}, info() {}, debug() {}, debugEnabled: false };

/** A server whose answers the test gives. */
class World {
  readonly clock = new FakeClock();
  readonly metrics = new MetricsRegistry();
  readonly requests: { readonly request: IncomingMessage; readonly response: ServerResponse }[] = [];
  readonly sockets: Socket[] = [];
  readonly server: Server;
  #port = 0;

  constructor(limits: Partial<HttpLimits>, trusted: readonly string[] = []) {
    const app = createApp();
    app.use((request: IncomingMessage, response: ServerResponse) => {
      this.requests.push({ request, response });
      if (request.url === '/now') response.end('now');
      if (request.url === '/read') request.resume();
    });
    const networks = trusted.flatMap((text) => parseIpNetwork(text) ?? []);
    const { clock, metrics } = this;
    const callers = new Callers(networks, clock, SILENT);
    this.server = createHttpServer(app, { clock, metrics, callers, limits: { checkInterval: LOOK, ...limits } });
  }

  async listen(): Promise<this> {
    this.#port = (await listen(this.server, { host: '127.0.0.1', port: 0 })).port;
    return this;
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    this.server.closeAllConnections();
  }

  /** A connection that was accepted or refused. */
  async connect(localAddress?: string): Promise<Socket> {
    const accepted = once(this.server, 'connection');
    const socket = connect({ port: this.#port, host: '127.0.0.1', localAddress });
    socket.on('error', () => {});
    this.sockets.push(socket);
    await accepted;
    return socket;
  }

  async asked(count: number): Promise<void> {
    while (this.requests.length < count) await new Promise(setImmediate);
  }

  /** What is answered until the connection ends. */
  async rest(socket: Socket): Promise<string> {
    let text = '';
    socket.on('data', (piece) => {
      text += piece;
    });
    await once(socket, 'close');
    return text;
  }

  get open(): number | undefined {
    return this.metrics.value('tandem_http_connections');
  }

  closed(reason: LabelValue<'tandem_http_connections_closed_total', 'reason'>): number | undefined {
    return this.metrics.value('tandem_http_connections_closed_total', { reason });
  }

  refused(limit: LabelValue<'tandem_limit_hits_total', 'limit'> = 'TANDEM_HTTP_MAX_CONNECTIONS'): number | undefined {
    return this.metrics.value('tandem_limit_hits_total', { limit });
  }

  async settled(open: number): Promise<void> {
    while (this.open !== open) await new Promise(setImmediate);
  }
}

let world: World;
const start = async (limits: Partial<HttpLimits>, trusted?: readonly string[]) => {
  world = await new World(limits, trusted).listen();
};
afterEach(() => world.close());

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
const post = (path: string, length: number) => `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`;

describe('A body', () => {
  const limits = { bodyRate: { min: 1_000, grace: 10_000 } };
  /** Of so many bytes more the server has heard. */
  async function bring(socket: Socket, bytes: number): Promise<void> {
    const { request } = world.requests.at(-1) ?? {};
    const until = (request?.socket.bytesRead ?? 0) + bytes;
    socket.write('x'.repeat(bytes));
    while ((request?.socket.bytesRead ?? until) < until) await new Promise(setImmediate);
  }

  it('that stands still gets 408 and loses its connection', async () => {
    await start(limits);
    const socket = await world.connect();
    socket.write(post('/read', 10));
    await world.asked(1);
    const rest = world.rest(socket);
    world.clock.advance(LOOK + 10_000);
    expect(world.closed('slow_sender')).toBe(0);
    world.clock.advance(LOOK);
    expect(await rest).toMatch(/^HTTP\/1\.1 408 .*did not arrive in time/s);
    expect(world.closed('slow_sender')).toBe(1);
  });

  it('that comes at the rate may take as long as it wants', async () => {
    await start(limits);
    const socket = await world.connect();
    socket.write(post('/read', 100_000));
    await world.asked(1);
    for (let second = 0; second < 100; second++) {
      await bring(socket, 1_000);
      world.clock.advance(1_000);
    }
    expect(world.requests[0]?.request.socket.destroyed).toBe(false);
    expect(world.closed('slow_sender')).toBe(0);
  });

  it('that nobody reads yet is not waited for, and nor is one that has come', async () => {
    await start(limits);
    const [unread, complete] = [await world.connect(), await world.connect()];
    unread.write(post('/later', 10));
    complete.write(`${post('/read', 2)}ok`);
    await world.asked(2);
    world.clock.advance(600_000);
    expect(world.requests.map(({ request }) => request.socket.destroyed)).toEqual([false, false]);
  });

  it('that stands still behind a poll gets its 408 once, after the answer to the poll', async () => {
    await start(limits);
    const socket = await world.connect();
    socket.write(get('/poll') + post('/read', 10));
    await world.asked(2);
    const rest = world.rest(socket);
    for (let looks = 0; looks < 60; looks++) world.clock.advance(LOOK);
    world.requests[0]?.response.end('event');
    expect((await rest).match(/HTTP.*|event|did not arrive in time/g)).toEqual([
      'HTTP/1.1 200 OK',
      'event',
      'HTTP/1.1 408 Request Timeout',
      'did not arrive in time',
    ]);
    expect(world.closed('slow_sender')).toBe(1);
  });

  it('has no limit where the rate is 0', async () => {
    await start({ bodyRate: { min: 0, grace: 10_000 } });
    const socket = await world.connect();
    socket.write(post('/read', 10));
    await world.asked(1);
    world.clock.advance(600_000);
    expect(world.requests[0]?.request.socket.destroyed).toBe(false);
  });
});

describe('An answer', () => {
  /** More than the system takes on behalf of a client that does not read. */
  const LONG = Buffer.alloc(32_000_000);

  it('that nobody reads ends its connection', async () => {
    await start({ readTimeout: 100 });
    const socket = (await world.connect()).pause();
    socket.write(get('/long'));
    await world.asked(1);
    const { request, response } = world.requests[0] ?? {};
    response?.end(LONG);
    const closed = once(request?.socket ?? world.server, 'close');
    world.clock.advance(LOOK);
    await closed;
    expect(world.closed('slow_reader')).toBe(1);
  });

  it('that is read late, but in time, comes to its end, and the connection serves on', async () => {
    await start({ readTimeout: 10_000 });
    const socket = (await world.connect()).pause();
    socket.write(get('/long'));
    await world.asked(1);
    world.requests[0]?.response.end(LONG);
    world.clock.advance(LOOK);
    expect(world.requests[0]?.request.socket.timeout).toBe(10_000);
    let received = 0;
    socket.on('data', (piece) => {
      received += piece.length;
      if (received > LONG.length) socket.write(get('/now'), () => socket.removeAllListeners('data'));
    });
    socket.resume();
    await world.asked(2);
    expect(world.closed('slow_reader')).toBe(0);
  });

  it('that is waited for has all the time, also behind another that took its time to be read', async () => {
    await start({ readTimeout: 10_000 });
    const socket = (await world.connect()).pause();
    socket.write(get('/long') + get('/poll'));
    await world.asked(2);
    const { request, response } = world.requests[0] ?? {};
    response?.end(LONG);
    world.clock.advance(LOOK);
    socket.resume();
    while (!response?.writableFinished) await new Promise(setImmediate);
    // The time that was set when nobody read is over when there is nothing to be read.
    request?.socket.emit('timeout');
    expect(request?.socket.destroyed).toBe(false);
    expect(request?.socket.timeout).toBe(0);
    world.requests[1]?.response.writeHead(200, { Connection: 'close' }).end('event');
    await world.rest(socket);
    expect(world.closed('slow_reader')).toBe(0);
  });
});

it('What is no request gets no answer where an answer is waiting behind a poll, which both come before the end', async () => {
  await start({});
  const socket = await world.connect();
  const rest = world.rest(socket);
  socket.write(get('/poll') + get('/now'));
  await world.asked(2);
  const failed = once(world.server, 'clientError');
  socket.write('nonsense\r\n\r\n');
  await failed;
  world.requests[0]?.response.end('event');
  expect((await rest).match(/HTTP.*|event|now$/g)).toEqual(['HTTP/1.1 200 OK', 'event', 'HTTP/1.1 200 OK', 'now']);
});

it('A connection without a request ends after its time', async () => {
  await start({ idleTimeout: 100 });
  const socket = await world.connect();
  socket.write(get('/now'));
  expect(await world.rest(socket)).toMatch(/^HTTP\/1\.1 200 /);
});

describe('Requests that wait on one connection', () => {
  it('are so many at the most: with one more it is closed, and nothing else on it is served', async () => {
    await start({ maxPipelined: 3 });
    const socket = await world.connect();
    const rest = world.rest(socket);
    socket.write(get('/poll').repeat(100));
    expect(await rest).toBe('');
    expect(world.requests).toHaveLength(3);
    expect(world.refused('TANDEM_HTTP_MAX_PIPELINED')).toBe(1);
  });

  it('are no reason when they are answered: any number may come one after the other', async () => {
    await start({ maxPipelined: 3 });
    const socket = await world.connect();
    socket.resume().write(get('/poll').repeat(2));
    for (let answered = 0; answered < 50; answered++) {
      await world.asked(answered + 2);
      world.requests[answered]?.response.end();
      socket.write(get('/poll'));
    }
    await world.asked(52);
    expect(world.refused('TANDEM_HTTP_MAX_PIPELINED')).toBe(0);
  });
});

describe('One connection too many', () => {
  it('takes the place of an idle one', async () => {
    await start({ max: 2 });
    const [idle, busy] = [await world.connect(), await world.connect()];
    idle.write(get('/now'));
    busy.write(get('/poll'));
    await world.asked(2);
    await once(idle, 'data');
    const closed = once(idle, 'close');
    const third = await world.connect();
    await closed;
    third.write(get('/now'));
    await world.asked(3);
    expect(world.open).toBe(2);
    expect([world.closed('evicted'), world.refused()]).toEqual([1, 0]);
  });

  it('takes the place of one that has not asked for anything, but not while its request may be on its way', async () => {
    await start({ max: 1 });
    const silent = await world.connect();
    const early = await world.connect();
    await world.rest(early);
    expect(world.refused()).toBe(1);
    const closed = world.rest(silent);
    world.clock.advance(1_000);
    await world.connect();
    await closed;
    expect(world.closed('evicted')).toBe(1);
  });

  it('is refused at once when all others are waiting, and taken when one has gone', async () => {
    await start({ max: 2 });
    const waiting = [await world.connect(), await world.connect()];
    for (const socket of waiting) socket.write(get('/poll'));
    await world.asked(2);
    world.clock.advance(60_000);
    expect(await world.rest(await world.connect())).toBe('');
    expect([world.closed('evicted'), world.refused()]).toEqual([0, 1]);
    waiting[0]?.resetAndDestroy();
    await world.settled(1);
    (await world.connect()).write(get('/now'));
    await world.asked(3);
  });

  it('of one address is refused, and those of others are taken', async () => {
    await start({ maxPerAddress: 1 });
    const first = await world.connect();
    expect(await world.rest(await world.connect())).toBe('');
    (await world.connect('127.0.0.2')).write(get('/now'));
    await world.asked(1);
    first.destroy();
    await world.settled(1);
    (await world.connect()).write(get('/now'));
    await world.asked(2);
    expect(world.refused('TANDEM_HTTP_MAX_CONNECTIONS_PER_ADDRESS')).toBe(1);
  });

  it('is none for the address of a trusted proxy', async () => {
    await start({ maxPerAddress: 1 }, ['127.0.0.0/8']);
    for (let n = 1; n <= 3; n++) {
      (await world.connect()).write(get('/now'));
      await world.asked(n);
    }
    expect(world.refused('TANDEM_HTTP_MAX_CONNECTIONS_PER_ADDRESS')).toBe(0);
  });
});
