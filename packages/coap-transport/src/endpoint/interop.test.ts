import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { MetricsRegistry, silentLogger, systemClock, systemRandom } from '@tandem/core';
import { Agent, request as coapRequest, type IncomingMessage, type ObserveReadStream } from 'coap';
import { CoapEndpoint } from './endpoint';
import type { CoapRequest } from './request';
import type { CoapResponse } from './response';
import { FakeSource } from './testing/fake-source';
import { openUdpSocket } from './udp-socket';

const run = promisify(execFile);
const text = (length: number) => Array.from({ length }, (_, i) => String.fromCharCode(97 + (i % 26))).join('');

/** Waits for a condition that another process brings about. */
async function until(met: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!met()) {
    if (Date.now() > deadline) throw new Error('it did not come about in 10 s');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

let endpoint: CoapEndpoint;
let sources: FakeSource[] = [];
let posts: CoapRequest[] = [];
let base = '';
let folder = '';

function respond(request: CoapRequest): CoapResponse | Promise<CoapResponse> {
  request.authenticate('device');
  if (request.method === 'POST') {
    posts.push(request);
    return { code: '2.01' };
  }
  switch (request.path[0]) {
    case 'slow':
      return new Promise((resolve) => setTimeout(() => resolve({ code: '2.05', payload: 'slow answer' }), 800));
    case 'big':
      return { code: '2.05', payload: text(5000), contentFormat: 0 };
    case 'observed': {
      if (request.observe !== 0) return { code: '2.05', payload: 'plain' };
      const observation = new FakeSource();
      sources.push(observation);
      return { code: '2.05', payload: 'first', contentFormat: 0, observation };
    }
    default:
      return { code: '2.05', payload: `at ${request.path.join('/')}?${request.query.join('&')}`, contentFormat: 0 };
  }
}

beforeEach(async () => {
  sources = [];
  posts = [];
  folder = await mkdtemp(join(tmpdir(), 'coap-endpoint-'));
  const socket = await openUdpSocket({ address: '127.0.0.1', port: 0, logger: silentLogger });
  endpoint = new CoapEndpoint({
    socket,
    admit(request) {
      request.authenticate('device');
      return undefined;
    },
    mayContinue: (request) => {
      request.authenticate('device');
      return true;
    },
    handler: respond,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    metrics: new MetricsRegistry(),
  });
  base = `coap://127.0.0.1:${endpoint.local.port}`;
});

afterEach(async () => {
  await endpoint.close({ graceful: false });
  await rm(folder, { recursive: true });
});

describe('the libcoap client', () => {
  const client = async (...args: string[]) => (await run('coap-client-notls', ['-B', '5', ...args])).stdout.trim();

  it('gets a resource with a query', async () => {
    expect(await client('-m', 'get', `${base}/a/b?c=d`)).toBe('at a/b?c=d');
  });

  it('posts', async () => {
    await client('-m', 'post', '-e', '{"a":1}', `${base}/up`);
    expect(posts.map((request) => `${request.payload}`)).toEqual(['{"a":1}']);
  });

  it('gets a NON answer to a NON request', async () => {
    expect(await client('-N', '-m', 'get', `${base}/a`)).toBe('at a?');
  });

  it('waits for a separate response', async () => {
    expect(await client('-m', 'get', `${base}/slow`)).toBe('slow answer');
  });

  it.each(['64', '256', '1024'])('uploads 3000 bytes in blocks of %s in one call', async (size) => {
    const file = join(folder, 'body');
    await writeFile(file, text(3000));
    await client('-m', 'post', '-b', size, '-f', file, `${base}/up`);
    expect(posts.map((request) => `${request.payload}`)).toEqual([text(3000)]);
  });

  it('uploads 3000 bytes through a client that loses a tenth of its datagrams, in one call', async () => {
    const file = join(folder, 'body');
    await writeFile(file, text(3000));
    await run('coap-client-notls', ['-B', '25', '-l', '10%', '-m', 'post', '-b', '1024', '-f', file, `${base}/up`]);
    expect(posts.map((request) => `${request.payload}`)).toEqual([text(3000)]);
  });

  it.each([[], ['-b', '64']])('downloads 5000 bytes (%s %s)', async (...args) => {
    expect(await client(...args, '-m', 'get', `${base}/big`)).toBe(text(5000));
  });

  it('observes, also a notification longer than a block, and deregisters at the end', async () => {
    const process: ChildProcess = spawn('coap-client-notls', ['-s', '2', '-m', 'get', `${base}/observed`]);
    let output = '';
    process.stdout?.on('data', (data) => {
      output += data;
    });
    const exited = once(process, 'exit');
    await until(() => output.includes('first') && sources[0]?.relation !== undefined);
    const [source] = sources;
    source?.notify('second');
    await until(() => output.includes('second'));
    source?.notify(text(1500));
    await until(() => output.includes(text(1500)));
    await exited;
    await until(() => source?.ends.length === 1);
    expect(source?.ends).toEqual(['deregistered']);
    expect(source?.events.slice(0, 2)).toEqual(['sent second', 'delivered second']);
  });
});

describe('the coap package as client', () => {
  let agent: Agent;
  beforeEach(() => {
    agent = new Agent({ type: 'udp4' });
  });
  afterEach(() => agent.close());

  const ask = async (path: string, method: 'GET' | 'POST' = 'GET', body?: Buffer): Promise<IncomingMessage> => {
    const outgoing = coapRequest({ hostname: '127.0.0.1', port: endpoint.local.port, pathname: path, method, agent });
    outgoing.end(body);
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    return response;
  };

  it('gets, posts, and waits for a separate response', async () => {
    const got = await ask('/a/b');
    expect([got.code, `${got.payload}`]).toEqual(['2.05', 'at a/b?']);
    expect((await ask('/up', 'POST', Buffer.from('{"a":1}'))).code).toBe('2.01');
    expect(posts.map((request) => `${request.payload}`)).toEqual(['{"a":1}']);
    expect(`${(await ask('/slow')).payload}`).toBe('slow answer');
  });

  it('downloads 5000 bytes', async () => {
    expect(`${(await ask('/big')).payload}`).toBe(text(5000));
  });

  it('observes', async () => {
    const outgoing = coapRequest({
      hostname: '127.0.0.1',
      port: endpoint.local.port,
      pathname: '/observed',
      observe: true,
      agent,
    });
    outgoing.end();
    const [stream] = (await once(outgoing, 'response')) as [ObserveReadStream];
    const heard: string[] = [];
    stream.on('data', (data: Buffer) => heard.push(data.toString()));
    await until(() => heard.length === 1 && sources[0]?.relation !== undefined);
    sources[0]?.notify('second');
    await until(() => heard.length === 2);
    expect(heard).toEqual(['first', 'second']);
    await until(() => sources[0]?.events.includes('delivered second') ?? false);
  });
});

describe('the UDP socket', () => {
  it('a second one on the same port is refused', async () => {
    const { address, port } = endpoint.local;
    await expect(openUdpSocket({ address, port, logger: silentLogger })).rejects.toThrow('EADDRINUSE');
  });

  it('serves IPv6', async () => {
    const socket = await openUdpSocket({ address: '::1', port: 0, logger: silentLogger });
    const six = new CoapEndpoint({
      socket,
      handler: respond,
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      metrics: new MetricsRegistry(),
    });
    const { stdout } = await run('coap-client-notls', ['-B', '5', '-m', 'get', `coap://[::1]:${six.local.port}/a`]);
    await six.close();
    expect(stdout.trim()).toBe('at a?');
  });
});
