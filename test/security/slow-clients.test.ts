import { setTimeout as pause } from 'node:timers/promises';
import { cleanUp, GatewayProcess } from '../support/gateway-process';
import { type HttpAnswer, HttpDevice } from '../support/http-device';
import { RawConnection } from '../support/raw-http';
import { ServerClient } from '../support/server-client';

const MAX_CONNECTIONS = 24;
const IDLE = 1_500;
const PIPELINED = 100;
const SETTINGS = {
  TANDEM_HTTP_HEADERS_TIMEOUT: '1000',
  TANDEM_HTTP_IDLE_TIMEOUT: String(IDLE),
  TANDEM_HTTP_MIN_RATE: '1000',
  TANDEM_HTTP_MAX_CONNECTIONS: String(MAX_CONNECTIONS),
  TANDEM_HTTP_MAX_PIPELINED: String(PIPELINED),
  TANDEM_HTTP_MAX_POLLS_PER_DEVICE: '50',
};
const TOKEN = 'patient-device';

let gateway: GatewayProcess;
let device: HttpDevice;
let jwt: string;
let deviceId: string;
/** They take their time while the other tests run. */
let trickle: Promise<string>;
let upload: Promise<string>;
let poll: Promise<HttpAnswer>;

beforeAll(async () => {
  gateway = await GatewayProcess.start(SETTINGS);
  const server = await ServerClient.login(gateway.http);
  ({ jwt } = server);
  deviceId = await server.createDevice(TOKEN);
  device = new HttpDevice(gateway.http, TOKEN);
  trickle = send(`{"trickle":"${'x'.repeat(1_000)}"}`, 1, 250);
  upload = send(`{"upload":"${'x'.repeat(30_000)}"}`, 1_000, 400);
  poll = device.get(`attributes/updates?timeout=${3 * IDLE}`);
});
afterAll(cleanUp);

/** A message of telemetry that comes by pieces. @returns what is answered until the connection ends */
async function send(body: string, bytes: number, interval: number): Promise<string> {
  const connection = await RawConnection.open(gateway.http);
  const headers = `Host: x\r\nConnection: close\r\nContent-Length: ${body.length}`;
  connection.socket.write(`POST /api/v1/${TOKEN}/telemetry HTTP/1.1\r\n${headers}\r\n\r\n`);
  for (let at = 0; at < body.length && connection.text === ''; at += bytes) {
    connection.socket.write(body.slice(at, at + bytes));
    await pause(interval);
  }
  await connection.closed;
  return connection.text;
}

it('headers that come byte by byte get 408, and the connection ends', async () => {
  const connection = await RawConnection.open(gateway.http);
  for (const byte of `GET /api/v1/${TOKEN}/attributes HTTP/1.1\r\nX: ${'x'.repeat(1_000)}`) {
    if (connection.text !== '') break;
    connection.socket.write(byte);
    await pause(50);
  }
  await connection.closed;
  expect(connection.text).toMatch(/^HTTP\/1\.1 408 .*"The request did not arrive in time"/s);
});

it('a connection without a request ends, and so does one whose requests have been answered', async () => {
  const [silent, answered] = [await RawConnection.open(gateway.http), await RawConnection.open(gateway.http)];
  answered.socket.write(`GET /api/v1/${TOKEN}/attributes HTTP/1.1\r\nHost: x\r\n\r\n`);
  await Promise.all([silent.closed, answered.closed]);
  expect([silent.statuses, answered.statuses]).toEqual([[408], [200]]);
});

it('a poll may wait longer than anything a client has to send', async () => {
  expect(await poll).toMatchObject({ status: 408, text: '' });
});

it('a client that does not read its answers loses its connection', async () => {
  const connection = await RawConnection.open(gateway.http);
  connection.socket.pause();
  connection.socket.write('GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(PIPELINED));
  await gateway.settled('tandem_http_connections_closed_total', 1, { reason: 'slow_reader' });
  connection.socket.destroy();
});

it('a client that sends requests without waiting for answers has an end to it', async () => {
  const connection = await RawConnection.open(gateway.http);
  connection.socket.write(`GET /api/v1/${TOKEN}/rpc HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(PIPELINED + 1));
  await connection.closed;
  expect(connection.text).toBe('');
  expect(await gateway.metric('tandem_limit_hits_total', { limit: 'TANDEM_HTTP_MAX_PIPELINED' })).toBe(1);
  await gateway.openPolls(0);
});

it('a device gets in past connections that do nothing, however many there are', async () => {
  const idle = await Promise.all(Array.from({ length: 2 * MAX_CONNECTIONS }, () => RawConnection.open(gateway.http)));
  while ((await gateway.metric('tandem_limit_hits_total', { limit: 'TANDEM_HTTP_MAX_CONNECTIONS' })) === 0)
    await pause(10);
  expect(await gateway.metric('tandem_http_connections')).toBeLessThanOrEqual(MAX_CONNECTIONS);
  // Those that came first have had time to ask for something.
  await pause(1_000);
  expect((await device.get('attributes')).status).toBe(200);
  expect(await gateway.metric('tandem_http_connections_closed_total', { reason: 'evicted' })).toBeGreaterThan(0);
  for (const { socket } of idle) socket.destroy();
});

it('a body that comes byte by byte gets 408, and its message is not stored', async () => {
  expect(await trickle).toMatch(/^HTTP\/1\.1 408 /);
  expect(await gateway.metric('tandem_http_connections_closed_total', { reason: 'slow_sender' })).toBe(1);
});

it('an upload over a slow line is taken, however long it takes', async () => {
  expect(await upload).toMatch(/^HTTP\/1\.1 200 /);
  const path = `/api/plugins/telemetry/DEVICE/${deviceId}/values/timeseries?keys=upload,trickle`;
  const headers = `Host: x\r\nConnection: close\r\nX-Authorization: Bearer ${jwt}`;
  const stored = await RawConnection.tell(gateway.http, `GET ${path} HTTP/1.1\r\n${headers}\r\n\r\n`);
  const latest = JSON.parse(stored.slice(stored.indexOf('{'))) as Record<string, [{ value: string | null }]>;
  expect([latest.upload?.[0].value?.length, latest.trickle?.[0].value]).toEqual([30_000, null]);
});

it('a connection too many is refused at once when all others wait for their answers', async () => {
  await Promise.all([trickle, upload]);
  await gateway.settled('tandem_http_connections', 0);
  const polls = await Promise.all(Array.from({ length: MAX_CONNECTIONS }, () => RawConnection.open(gateway.http)));
  for (const { socket } of polls) socket.write(`GET /api/v1/${TOKEN}/rpc HTTP/1.1\r\nHost: x\r\n\r\n`);
  await gateway.openPolls(polls.length);
  const refused = await gateway.metric('tandem_limit_hits_total', { limit: 'TANDEM_HTTP_MAX_CONNECTIONS' });
  const late = await RawConnection.open(gateway.http);
  await late.closed;
  expect(late.text).toBe('');
  expect(await gateway.metric('tandem_limit_hits_total', { limit: 'TANDEM_HTTP_MAX_CONNECTIONS' })).toBe(refused + 1);
  for (const { socket } of polls) socket.destroy();
  await gateway.openPolls(0);
});
