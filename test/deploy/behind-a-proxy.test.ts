import { rmSync } from 'node:fs';
import { readSettings } from '@tandem/core';
import WebSocket from 'ws';
import { HttpsClient, SecureAdmin } from '../security/https-client';
import { Pki } from '../security/pki';
import { eventually } from '../support/eventually';
import { freeTcpPort } from '../support/free-port';
import { cleanUp, GatewayProcess, temporaryFolder } from '../support/gateway-process';
import { useSecret } from '../support/used-secrets';
import { example, type RunningProxy, startHaproxy, startNginx } from './proxies';

const pki = new Pki();
afterAll(async () => {
  await cleanUp();
  rmSync(pki.folder, { recursive: true });
});

/** Longer than nginx waits where the example does not say otherwise, see startNginx. */
const POLL = 1_500;

describe.each([
  ['nginx', startNginx],
  ['HAProxy', startHaproxy],
])('Behind %s with our example, which ends TLS', (name, start) => {
  const token = `behind-${name}-token`;
  useSecret(token);
  let settings: Record<string, string>;
  let gateway: GatewayProcess;
  let proxy: RunningProxy;
  let port: number;
  let admin: SecureAdmin;
  let deviceId: string;
  let open: HttpsClient[] = [];

  /** From an address of its own, on a connection of its own. */
  function client(localAddress = '127.0.0.1'): HttpsClient {
    const made = new HttpsClient(port, pki.root, undefined, { localAddress });
    open.push(made);
    return made;
  }

  beforeAll(async () => {
    const [http, metrics, own] = await Promise.all([freeTcpPort(), freeTcpPort(), freeTcpPort()]);
    port = own;
    settings = {
      TANDEM_ROLES: 'http,api',
      HTTP_BIND_PORT: String(http),
      TANDEM_METRICS_PORT: String(metrics),
      TANDEM_TRUSTED_PROXIES: '127.0.0.1',
      TB_TRANSPORT_IP_RATE_LIMITS_ENABLED: 'true',
      TB_TRANSPORT_MAX_WRONG_CREDENTIALS_PER_IP: '2',
      HTTP_TRANSPORT_MAX_PAYLOAD_SIZE_LIMIT_CONFIGURATION: '/api/v1/**=200000',
    };
    gateway = await GatewayProcess.start(settings);
    proxy = await start({ folder: temporaryFolder(), port, gateway: { http, metrics }, server: pki.server });
    const logsIn = client();
    await eventually(async () => {
      const { status } = await logsIn.get('/api/noauth/activate');
      return status < 500 ? undefined : `the proxy answers ${status}`;
    });
    admin = await SecureAdmin.login(client());
    deviceId = await admin.device(`Behind ${name}`, token);
  });
  afterEach(() => {
    for (const made of open) made.close();
    open = [];
  });
  afterAll(async () => {
    await proxy?.stop();
    await gateway?.stop();
  });

  const share = (attributes: object) =>
    SecureAdmin.login(client()).then((on) =>
      on.json('POST', `/api/plugins/telemetry/DEVICE/${deviceId}/SHARED_SCOPE`, attributes),
    );

  it('a device sends telemetry over TLS, and the server API shows it', async () => {
    const { status, server } = await client().post(`/api/v1/${token}/telemetry`, '{"temperature":42.0}');
    expect([status, server]).toEqual([200, 'server']);
    const reader = await SecureAdmin.login(client());
    await eventually(async () => {
      const value = await reader.latest(deviceId, 'temperature');
      return value === '42.0' ? undefined : `it shows ${value}`;
    });
  });

  it('a poll is held for as long as the device asks, and ends as the gateway ends it', async () => {
    const before = Date.now();
    const { status } = await client().get(`/api/v1/${token}/attributes/updates?timeout=${POLL}`);
    expect(status).toBe(408);
    expect(Date.now() - before).toBeGreaterThanOrEqual(POLL - 50);
  });

  it('an attribute reaches the poll that waits for it', async () => {
    const polled = client().get(`/api/v1/${token}/attributes/updates?timeout=60000`);
    await gateway.openPolls(1);
    await share({ target: 21.5 });
    const { status, text } = await polled;
    expect([status, text]).toEqual([200, '{"target":21.5}']);
  });

  it('a poll whose device has gone is over at the gateway, so that no update is lost on it', async () => {
    const gone = client();
    const polled = gone.get(`/api/v1/${token}/attributes/updates?timeout=60000`).catch(() => 'cut');
    await gateway.openPolls(1);
    gone.close();
    expect(await polled).toBe('cut');
    await gateway.openPolls(0);
  });

  it('a WebSocket shows an attribute as it changes', async () => {
    const socket = new WebSocket(`wss://127.0.0.1:${port}/api/ws`, { ca: pki.root.certificate });
    const updates: string[] = [];
    let heard = () => {};
    socket.on('message', (message) => {
      updates.push(String(message));
      heard();
    });
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    const update = () =>
      new Promise<void>((resolve) => {
        heard = resolve;
      });
    const state = update();
    const command = { type: 'ATTRIBUTES', cmdId: 1, entityType: 'DEVICE', entityId: deviceId, scope: 'SHARED_SCOPE' };
    socket.send(JSON.stringify({ authCmd: { cmdId: 0, token: admin.jwt }, cmds: [command] }));
    await state;
    const changed = update();
    await share({ live: 7 });
    await changed;
    socket.terminate();
    expect(updates.at(-1)).toContain('"live":[[');
  });

  it('the limits of bodies are those of the gateway, with its answer', async () => {
    const long = (length: number) => JSON.stringify({ text: 'x'.repeat(length) });
    expect((await client().post(`/api/v1/${token}/telemetry`, long(100_000))).status).toBe(200);
    const tooLong = await client().post(`/api/v1/${token}/telemetry`, long(250_000));
    expect([tooLong.status, tooLong.text]).toEqual([413, expect.not.stringContaining('<html')]);
  });

  it('who guesses tokens is locked out by the address that the connection has, and nobody else is', async () => {
    const guess = (from: string, says?: string) =>
      client(from).post('/api/v1/not-the-token/telemetry', '{}', says === undefined ? {} : { 'X-Forwarded-For': says });
    for (const said of [undefined, '192.0.2.9']) expect((await guess('127.0.0.2', said)).status).toBe(401);
    // Whatever it says of itself.
    expect((await guess('127.0.0.2', '192.0.2.10')).status).toBe(429);
    expect((await client('127.0.0.2').post(`/api/v1/${token}/telemetry`, '{}')).status).toBe(429);
    expect((await client('127.0.0.3').post(`/api/v1/${token}/telemetry`, '{}')).status).toBe(200);
  });

  it('a gateway that is started anew is found again, without a word to the proxy', async () => {
    await gateway.stop();
    const away = await client().post(`/api/v1/${token}/telemetry`, '{}');
    expect([502, 503]).toContain(away.status);
    gateway = await gateway.again(settings);
    await eventually(async () => {
      const { status } = await client().post(`/api/v1/${token}/telemetry`, '{}');
      return status === 200 ? undefined : `the proxy answers ${status}`;
    });
  });

  it('writes who asked for what into its log, and no token', async () => {
    // Once its answers have been written down.
    await eventually(() => (proxy.log().includes('POST /api/v1/-/telemetry 200') ? undefined : proxy.log()));
    expect(proxy.log()).toMatch(/127\.0\.0\.2 \[\S+\] POST \/api\/v1\/-\/telemetry 429/);
    expect(proxy.log()).not.toContain(token);
    expect(proxy.log()).not.toContain('not-the-token');
  });
});

it('The examples wait for longer than a poll may last, and for the next request as long as the gateway does', () => {
  const { HTTP_MAX_REQUEST_TIMEOUT, TANDEM_HTTP_IDLE_TIMEOUT } = readSettings({});
  const seconds = (file: string, name: string) =>
    Number(new RegExp(`^ *${name} (\\d+)s`, 'm').exec(example(...file.split('/')))?.[1]);
  expect(seconds('nginx/tandem.conf', 'proxy_read_timeout')).toBeGreaterThan(HTTP_MAX_REQUEST_TIMEOUT / 1000);
  expect(seconds('nginx/stream.conf', 'proxy_timeout')).toBeGreaterThan(HTTP_MAX_REQUEST_TIMEOUT / 1000);
  expect(seconds('haproxy/haproxy.cfg', 'timeout server')).toBeGreaterThan(HTTP_MAX_REQUEST_TIMEOUT / 1000);
  expect(seconds('haproxy/haproxy.cfg', 'timeout client')).toBeGreaterThan(HTTP_MAX_REQUEST_TIMEOUT / 1000);
  expect(seconds('nginx/tandem.conf', 'keepalive_timeout')).toBe(TANDEM_HTTP_IDLE_TIMEOUT / 1000);
  expect(seconds('haproxy/haproxy.cfg', 'timeout http-keep-alive')).toBe(TANDEM_HTTP_IDLE_TIMEOUT / 1000);
});
