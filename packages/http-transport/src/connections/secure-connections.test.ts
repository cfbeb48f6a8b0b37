import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import { type LabelValue, MetricsRegistry, type TlsFiles } from '@tandem/core';
import { FakeClock } from '@tandem/core/testing';
import { HttpsClient } from '../../../../test/security/https-client';
import { Pki } from '../../../../test/security/pki';
import { createApp, createHttpServer, listen } from '../http-server';
import type { HttpLimits } from './http-limits';

let pki: Pki;
let hello: Buffer;
beforeAll(async () => {
  pki = new Pki();
  hello = await helloOfAClient();
});
afterAll(() => pki.remove());

/** What a client sends first. */
async function helloOfAClient(): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const client = connectSecurely({ port: (server.address() as { port: number }).port, host: '127.0.0.1' });
  client.on('error', () => {});
  const [socket] = (await accepted) as [Socket];
  const [sent] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return sent;
}

/** More than the system takes on behalf of a client that does not read. */
const LONG = Buffer.alloc(32_000_000);
const LOOK = 1_000;

/** An HTTPS server that asks clients for certificates. */
async function start(limits: Partial<HttpLimits>) {
  const clock = new FakeClock();
  const metrics = new MetricsRegistry();
  const app = createApp();
  const asked: string[] = [];
  app.use((request: IncomingMessage, response: ServerResponse) => {
    asked.push(request.url ?? '');
    if (request.url === '/now') response.end('now');
    if (request.url === '/read') request.resume();
    if (request.url === '/long') response.end(LONG);
  });
  const listeners = new Set<(current: TlsFiles) => void>();
  const { certificate, key } = pki.server;
  const current: TlsFiles = { material: { certificates: certificate, key }, clientTrust: undefined };
  const files = {
    current,
    onChange: (listener: (current: TlsFiles) => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const server = createHttpServer(app, {
    clock,
    metrics,
    limits: { checkInterval: LOOK, ...limits },
    tls: { files, clientCertificates: true },
  });
  const { port } = await listen(server, { host: '127.0.0.1', port: 0 });
  const opened: Socket[] = [];
  const silent = async (sent?: Buffer): Promise<Socket> => {
    const accepted = once(server, 'connection');
    const socket = connect(port, '127.0.0.1');
    opened.push(socket);
    socket.on('error', () => {}).resume();
    if (sent) socket.write(sent);
    await accepted;
    return socket;
  };
  /** One that has sent this over TLS, and the server knows of it. */
  const asking = async (text: string): Promise<Socket> => {
    const socket = connectSecurely({ port, host: '127.0.0.1', ca: pki.root.certificate });
    opened.push(socket);
    const count = asked.length;
    socket.on('error', () => {}).write(text);
    while (asked.length === count) await new Promise(setImmediate);
    return socket;
  };
  const client = () => {
    const made = new HttpsClient(port, pki.root);
    clients.push(made);
    return made;
  };
  const clients: HttpsClient[] = [];
  const readings = {
    get open() {
      return metrics.value('tandem_http_connections') ?? Number.NaN;
    },
    get failed() {
      return metrics.value('tandem_https_handshakes_failed_total');
    },
    closed: (reason: LabelValue<'tandem_http_connections_closed_total', 'reason'>) =>
      metrics.value('tandem_http_connections_closed_total', { reason }),
    refused: () =>
      (metrics.value('tandem_limit_hits_total', { limit: 'TANDEM_HTTP_MAX_CONNECTIONS' }) ?? 0) +
      (metrics.value('tandem_limit_hits_total', { limit: 'TANDEM_HTTP_MAX_CONNECTIONS_PER_ADDRESS' }) ?? 0),
  };
  const close = () => {
    for (const socket of opened) socket.destroy();
    for (const one of clients) one.close();
    server.close();
    server.closeAllConnections();
  };
  const trust = (authorities: string) => {
    for (const listener of listeners) listener({ ...current, clientTrust: { authorities, revoked: undefined } });
  };
  return { clock, silent, asking, client, readings, close, trust };
}

let world: Awaited<ReturnType<typeof start>>;
afterEach(() => world.close());
/** However they end: what is cut off may be reset. */
async function closed(sockets: readonly Socket[]): Promise<void> {
  for (const socket of sockets) if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
}

describe('Over TLS, one connection too many', () => {
  it('of an address is refused before anything is done for it, and all others live on', async () => {
    world = await start({ maxPerAddress: 3 });
    const kept = world.client();
    expect((await kept.get('/now')).text).toBe('now');
    const silent = [await world.silent(), await world.silent(hello)];
    const refused = [await world.silent(), await world.silent(hello), await world.silent(hello.subarray(0, 50))];
    await closed(refused);
    expect(world.readings.refused()).toBe(3);
    expect((await kept.get('/now')).text).toBe('now');
    for (const socket of silent) socket.destroy();
    await closed(silent);
    while (world.readings.open > 1) await new Promise(setImmediate);
    expect((await world.client().get('/now')).text).toBe('now');
  });

  it('of all is refused as long as the others may be on their way, and then takes the place of one', async () => {
    world = await start({ max: 3 });
    const early = [await world.silent(), await world.silent(hello), await world.silent(hello.subarray(0, 50))];
    const refused = [await world.silent(), await world.silent(hello)];
    await closed(refused);
    expect(world.readings.refused()).toBe(2);
    world.clock.advance(1_000);
    for (const _ of early) await world.silent(hello);
    await closed(early);
    expect(world.readings.closed('evicted')).toBe(3);
    world.clock.advance(1_000);
    expect((await world.client().get('/now')).text).toBe('now');
    expect(world.readings.failed).toBe(4);
  });

  it('takes the place of a client that has been answered', async () => {
    world = await start({ max: 1 });
    expect((await world.client().get('/now')).text).toBe('now');
    expect((await world.client().get('/now')).text).toBe('now');
    expect(world.readings.closed('evicted')).toBe(1);
  });
});

describe('A handshake', () => {
  it('that does not come to its end in time loses its connection without a word of HTTP', async () => {
    world = await start({ headersTimeout: 100 });
    const slow = [await world.silent(), await world.silent(hello), await world.silent(hello.subarray(0, 50))];
    await closed(slow);
    expect(world.readings.failed).toBe(3);
    expect(slow.map(({ bytesRead }) => bytesRead > 0)).toEqual([false, true, false]);
    expect((await world.client().get('/now')).text).toBe('now');
  });

  it('under way ends when clients are trusted by something else from now on', async () => {
    world = await start({});
    const half = [await world.silent(), await world.silent(hello), await world.silent(hello.subarray(0, 50))];
    world.trust(pki.root.certificate);
    await closed(half);
    expect((await world.client().get('/now')).text).toBe('now');
  });
});

describe('Over TLS, a slow client', () => {
  it('whose body stands still gets 408 and loses its connection', async () => {
    world = await start({ bodyRate: { min: 1_000, grace: 10_000 } });
    const socket = await world.asking('POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n1');
    let text = '';
    socket.on('data', (piece) => {
      text += piece;
    });
    world.clock.advance(LOOK);
    world.clock.advance(10_000 + LOOK);
    await closed([socket]);
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
    expect(world.readings.closed('slow_sender')).toBe(1);
  });

  it('that does not read its answer loses its connection', async () => {
    world = await start({ readTimeout: 100 });
    const socket = await world.asking('GET /long HTTP/1.1\r\nHost: x\r\n\r\n');
    socket.pause();
    world.clock.advance(LOOK);
    while (world.readings.closed('slow_reader') === 0) await new Promise(setImmediate);
    while (world.readings.open > 0) await new Promise(setImmediate);
    socket.destroy();
  });
});
