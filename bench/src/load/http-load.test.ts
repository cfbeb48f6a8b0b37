import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HttpLoad } from './http-load';
import { telemetryRequest } from './http-requests';
import { LoadRecorder } from './load-recorder';

interface Seen {
  readonly url: string | undefined;
  readonly body: string;
}

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** Runs two connections as two devices against a server until it has seen `requests` requests. */
async function runAgainst(
  respond: (request: IncomingMessage, response: ServerResponse, number: number) => void,
  requests: number,
): Promise<{ recorder: LoadRecorder; seen: Seen[] }> {
  const seen: Seen[] = [];
  let enough: () => void = () => undefined;
  const seenEnough = new Promise<void>((resolve) => {
    enough = resolve;
  });
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(chunk as Buffer);
    }
    seen.push({ url: request.url, body: Buffer.concat(chunks).toString() });
    if (seen.length >= requests) {
      enough();
    }
    respond(request, response, seen.length);
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const recorder = new LoadRecorder();
  let micros = 0;
  const load = new HttpLoad({
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    connections: 2,
    requestOf: (connection) => telemetryRequest('127.0.0.1', 1, connection === 0 ? 'one' : 'two', '{"a":1}'),
    recorder,
    now: () => {
      micros += 1;
      return micros;
    },
  });
  await load.start();
  await seenEnough;
  await load.stop();
  return { recorder, seen };
}

describe('the HTTP load', () => {
  it('posts the body as every device and counts each answer once', async () => {
    const { recorder, seen } = await runAgainst((_, response) => response.end(), 100);
    expect(new Set(seen.map(({ url }) => url))).toEqual(new Set(['/api/v1/one/telemetry', '/api/v1/two/telemetry']));
    expect(new Set(seen.map(({ body }) => body))).toEqual(new Set(['{"a":1}']));
    expect(recorder.answered).toBe(seen.length);
    expect(recorder.latency.count).toBe(seen.length);
    expect(recorder.failures).toEqual({});
  });

  it('counts refusals by status and never as successes', async () => {
    const { recorder, seen } = await runAgainst((_, response, number) => {
      response.writeHead(number <= 3 ? 503 : number === 4 ? 401 : 200, { 'Content-Length': 2 });
      response.end('{}');
    }, 50);
    expect(recorder.failures).toEqual({ 'status 503': 3, 'status 401': 1 });
    expect(recorder.answered).toBe(seen.length - 4);
  });

  it('counts a connection that the server drops', async () => {
    const { recorder } = await runAgainst((request, response, number) => {
      if (number === 5) {
        request.socket.destroy();
      } else {
        response.end();
      }
    }, 20);
    expect(recorder.failures).toEqual({ 'connection closed by the server': 1 });
  });

  it('counts an answer it cannot read once, not again as a closed connection', async () => {
    const { recorder } = await runAgainst((request, response, number) => {
      if (number === 5) {
        request.socket.write('nonsense\r\n\r\n');
      } else {
        response.end();
      }
    }, 20);
    expect(Object.values(recorder.failures)).toEqual([1]);
    expect(Object.keys(recorder.failures)[0]).toContain('UnreadableResponse');
  });
});
