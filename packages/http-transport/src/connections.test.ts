import { once } from 'node:events';
import type { Socket } from 'node:net';
import { trustedValue } from '@tandem/core';
import { TestGateway, until } from './testing/test-gateway';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start({
    settings: { HTTP_TRANSPORT_MAX_PAYLOAD_SIZE_LIMIT_CONFIGURATION: '/api/v1/*/rpc/**=100;/api/v1/**=200000' },
  });
});
afterAll(() => gateway.stop());

/** A connection that keeps what it receives. */
function open(): { socket: Socket; received: () => string; ended: Promise<unknown> } {
  const socket = gateway.connect();
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.on('error', () => {});
  const ended = once(socket, 'end');
  ended.catch(() => {});
  return { socket, received: () => text, ended };
}

const head = (path: string, headers: string) => `POST /api/v1${path} HTTP/1.1\r\nHost: gateway\r\n${headers}\r\n\r\n`;
const answers = (text: string): string[] => text.match(/HTTP\/1\.1 \d+/g) ?? [];

it('puts together a request that arrives byte by byte', async () => {
  const device = await gateway.device();
  const { socket, received } = open();
  socket.setNoDelay(true);
  const body = Buffer.from('{"a":"\u00e9\u00e8"}');
  socket.write(head(`/${device.token}/telemetry`, `Content-Length: ${body.length}`));
  for (const byte of body) {
    socket.write(Buffer.of(byte));
    await new Promise(setImmediate);
  }
  await until(() => answers(received()).length === 1);
  socket.destroy();
  expect(received()).toMatch(/^HTTP\/1\.1 200 /);
  expect((await gateway.stored(device)).a?.value).toBe('"\u00e9\u00e8"');
});

it('stores nothing of a body that was refused for its pace, also where that waits behind a poll to be told', async () => {
  const device = await gateway.device();
  const accepted = once(gateway.server, 'connection');
  const { socket, received, ended } = open();
  const [connection] = (await accepted) as [Socket];
  socket.write(`GET /api/v1/${device.token}/attributes/updates HTTP/1.1\r\nHost: gateway\r\n\r\n`);
  await gateway.polls(1);
  const posts = () => gateway.gauge('tandem_http_received_requests_total', { operation: 'telemetry' });
  const before = posts();
  socket.write(`${head(`/${device.token}/telemetry`, 'Content-Length: 7')}{"a"`);
  await until(() => posts() > before);
  const tooSlow = Object.assign(new Error('too slow'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
  gateway.server.emit('clientError', tooSlow, connection);
  const { bytesRead } = connection;
  socket.write(':1}');
  await until(() => connection.bytesRead > bytesRead);
  await gateway.core.attributes.saveFromServer(device.id, 'SHARED', [{ key: 'b', value: trustedValue('2') }]);
  await ended;
  socket.destroy();
  expect(answers(received())).toEqual(['HTTP/1.1 200', 'HTTP/1.1 408']);
  expect(await gateway.stored(device)).toEqual({});
});

it('answers pipelined requests in their order', async () => {
  const device = await gateway.device();
  const { socket, received } = open();
  const post = (path: string, body: string) => `${head(path, `Content-Length: ${body.length}`)}${body}`;
  socket.write(
    post(`/${device.token}/telemetry`, '{"a":1}') +
      post('/nope/telemetry', '{"a":1}') +
      post(`/${device.token}/telemetry`, '{bad') +
      post(`/${device.token}/telemetry`, '{"b":2}'),
  );
  await until(() => answers(received()).length === 4);
  socket.destroy();
  expect(answers(received())).toEqual(['HTTP/1.1 200', 'HTTP/1.1 401', 'HTTP/1.1 400', 'HTTP/1.1 200']);
  expect(Object.keys(await gateway.stored(device)).sort()).toEqual(['a', 'b']);
});

it('takes a body in chunks', async () => {
  const device = await gateway.device();
  const { socket, received } = open();
  socket.write(`${head(`/${device.token}/telemetry`, 'Transfer-Encoding: chunked')}4\r\n{"a"\r\n`);
  await new Promise(setImmediate);
  socket.write('3\r\n:1}\r\n0\r\n\r\n');
  await until(() => answers(received()).length === 1);
  socket.destroy();
  expect(received()).toMatch(/^HTTP\/1\.1 200 /);
  expect((await gateway.stored(device)).a?.value).toBe('1');
});

it('counts chunks, and closes once they exceed the limit', async () => {
  const { token } = await gateway.device();
  const { socket, received, ended } = open();
  socket.write(`${head(`/${token}/rpc/1`, 'Transfer-Encoding: chunked')}65\r\n${'x'.repeat(101)}\r\n`);
  await until(() => received().includes('bytes"'));
  expect(received()).toMatch(/^HTTP\/1\.1 413 /);
  expect(received()).toContain('Connection: close');
  expect(received()).toContain('"Payload size exceeds the limit of 100 bytes"');
  socket.write('0\r\n\r\n');
  await ended;
});

it('takes chunks of exactly the limit', async () => {
  const { token } = await gateway.device();
  const { socket, received } = open();
  socket.write(`${head(`/${token}/rpc/1`, 'Transfer-Encoding: chunked')}64\r\n${'x'.repeat(100)}\r\n0\r\n\r\n`);
  await until(() => answers(received()).length === 1);
  socket.destroy();
  expect(received()).toMatch(/^HTTP\/1\.1 200 /);
});

it('does not read the body of a stranger, and cuts off one who keeps sending', async () => {
  const { socket, received, ended } = open();
  socket.write(head('/nope/telemetry', 'Content-Length: 150000'));
  await until(() => answers(received()).length === 1);
  expect(received()).toMatch(/^HTTP\/1\.1 401 /);
  expect(received()).toContain('Connection: close');
  // Nothing more is sent: the gateway does not wait for ever.
  await ended;
  socket.destroy();
});

it('keeps the connection of a stranger whose body is small', async () => {
  const { socket, received } = open();
  const body = '{"a":1}';
  for (let i = 1; i <= 2; i++) {
    socket.write(`${head('/nope/telemetry', `Content-Length: ${body.length}`)}${body}`);
    await until(() => answers(received()).length === i);
  }
  socket.destroy();
  expect(answers(received())).toEqual(['HTTP/1.1 401', 'HTTP/1.1 401']);
});

it('lets a client that asks go on sending only when its body is wanted', async () => {
  const device = await gateway.device();
  const { socket, received } = open();
  const asking = 'Content-Length: 7\r\nExpect: 100-continue';
  socket.write(head(`/${device.token}/telemetry`, asking));
  await until(() => answers(received()).length === 1);
  expect(received()).toMatch(/^HTTP\/1\.1 100 /);
  socket.write('{"a":1}');
  await until(() => answers(received()).length === 2);
  expect(answers(received())).toEqual(['HTTP/1.1 100', 'HTTP/1.1 200']);
  socket.destroy();

  const stranger = open();
  stranger.socket.write(head('/nope/telemetry', asking));
  await stranger.ended;
  expect(answers(stranger.received())).toEqual(['HTTP/1.1 401']);
});

it('stores nothing of a body that breaks off', async () => {
  const device = await gateway.device();
  const { socket } = open();
  const requests = () => gateway.gauge('tandem_http_received_requests_total', { operation: 'telemetry' });
  const before = requests();
  socket.write(`${head(`/${device.token}/telemetry`, 'Content-Length: 20')}{"a":1}`);
  await until(() => requests() === before + 1);
  socket.destroy();
  expect((await gateway.post(`/${device.token}/telemetry`, '{"b":2}')).status).toBe(200);
  expect(Object.keys(await gateway.stored(device))).toEqual(['b']);
});

it('answers a request target in absolute form', async () => {
  const { token } = await gateway.device();
  const { socket, received } = open();
  socket.write(`GET http://gateway/api/v1/${token}/attributes HTTP/1.1\r\nHost: gateway\r\n\r\n`);
  await until(() => answers(received()).length === 1);
  socket.destroy();
  expect(received()).toMatch(/^HTTP\/1\.1 200 /);
});
