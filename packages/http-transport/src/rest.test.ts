import { connect } from 'node:net';
import { Faults, silentLogger, systemClock, trustedValue } from '@tandem/core';
import { answerTheRest, createApp, createHttpServer, listen } from './index';
import { TestGateway } from './testing/test-gateway';

describe('What is nobody’s path', () => {
  it.each(['/', '/zzz', '//api/v1/SECRET/telemetry', '/API/v1/SECRET/telemetry', '/%zz'])(
    'is answered with the error JSON and without the path: %s',
    async (path) => {
      const app = createApp();
      answerTheRest(app, { clock: systemClock, faults: new Faults(silentLogger, systemClock) });
      const server = createHttpServer(app);
      const { port } = await listen(server, { host: '127.0.0.1', port: 0 });
      const answer = await raw(
        port,
        `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
      );
      server.close();
      expect(answer).toMatch(/^HTTP\/1\.1 404 .*content-type: application\/json/is);
      expect(Object.keys(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).sort()).toEqual([
        'errorCode',
        'message',
        'status',
        'timestamp',
      ]);
      expect(answer).not.toContain('SECRET');
    },
  );

  it('is a fault of the gateway where a part of it throws: 500 with the id of the line in the log', async () => {
    const lines: unknown[] = [];
    const app = createApp();
    app.use(() => {
      throw new Error('out of order');
    });
    const logger = { ...silentLogger, error: (_message: string, fields?: object) => lines.push(fields) };
    answerTheRest(app, { clock: systemClock, faults: new Faults(logger, systemClock) });
    const server = createHttpServer(app);
    const { port } = await listen(server, { host: '127.0.0.1', port: 0 });
    const answer = await raw(port, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    server.close();
    const [, correlationId = ''] = /^x-correlation-id: ([0-9a-f]{12})\r$/im.exec(answer) ?? [];
    expect(answer).toMatch(/^HTTP\/1\.1 500 /);
    expect(answer).toContain(`"message":"Internal server error (correlation id ${correlationId})"`);
    expect(lines).toEqual([{ correlationId, error: expect.stringContaining('out of order') }]);
  });
});

describe('A client that ends its side of the connection', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await TestGateway.start();
  });
  afterAll(() => gateway.stop());

  it('gets the answer to a request it has sent whole', async () => {
    const { token } = await gateway.device();
    const body = '{"a":1}';
    const request = `POST /api/v1/${token}/telemetry HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    expect(await raw(gateway.port, request)).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('gets no event: the next poll does', async () => {
    const device = await gateway.device();
    await gateway.get(`/${device.token}/attributes/updates?timeout=1`);
    const half = raw(gateway.port, `GET /api/v1/${device.token}/attributes/updates HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect(await half).toBe('');
    await gateway.core.attributes.saveFromServer(device.id, 'SHARED', [{ key: 'x', value: trustedValue('1') }]);
    expect(await gateway.get(`/${device.token}/attributes/updates?timeout=1000`)).toMatchObject({ text: '{"x":1}' });
  });
});

/** Sends all of it, ends its side, and gives what came back. */
function raw(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => socket.end(request));
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
  });
}
