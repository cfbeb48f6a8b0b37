import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '@tandem/core';
import { generate, parse } from 'coap-packet';
import { DtlsClient } from '../../packages/coap-transport/src/dtls/testing/dtls-client';
import { openUdpSocket, type UdpSocket } from '../../packages/coap-transport/src/endpoint/index';
import { type RedisServer, startRedis } from '../../packages/state-redis/src/testing/redis-server';
import { DtlsDevice } from '../support/dtls-device';
import { eventually } from '../support/eventually';
import { cleanUp, type Environment, GatewayProcess, ROOT, temporaryFolder } from '../support/gateway-process';
import { ServerClient } from '../support/server-client';
import { Pki } from './pki';

let pki: Pki;
let coapsSettings: Environment;

beforeAll(() => {
  pki = new Pki();
  coapsSettings = {
    COAP_DTLS_ENABLED: 'true',
    COAP_DTLS_BIND_ADDRESS: '127.0.0.1',
    COAP_DTLS_BIND_PORT: '0',
    COAP_DTLS_PEM_CERT: pki.server.chainFile,
    COAP_DTLS_PEM_KEY: pki.server.keyFile,
  };
});
afterAll(async () => {
  await cleanUp();
  pki.remove();
});

const WITHOUT_KOFFI = { NODE_OPTIONS: `--require ${join(ROOT, 'test', 'support', 'no-koffi.cjs')}` };

const portOf = async (gateway: GatewayProcess) => Number((await gateway.logged('ready')).coaps);

describe('Where OpenSSL cannot be reached', () => {
  it('everything else is served, and the log and a metric say what is not', async () => {
    const gateway = await GatewayProcess.start({ ...coapsSettings, ...WITHOUT_KOFFI });
    const said = gateway.log.find(({ message }) => message.startsWith('CoAP over DTLS is not served'));
    expect(said).toMatchObject({
      level: 'error',
      error: expect.stringMatching(/^there is no koffi for linux \w+: Cannot find/),
    });
    expect(said?.error).not.toContain('\n');
    expect((await gateway.logged('ready')).coaps).toBeUndefined();
    expect((await fetch(`http://127.0.0.1:${gateway.metrics}/readyz`)).status).toBe(200);
    expect(await gateway.metric('tandem_dtls_open')).toBe(0);
    const server = await ServerClient.login(gateway.http);
    await server.createDevice('plain');
    const posted = await fetch(`http://127.0.0.1:${gateway.http}/api/v1/plain/telemetry`, {
      method: 'POST',
      body: '{"a":1}',
    });
    expect([posted.status, gateway.coap > 0]).toEqual([200, true]);
    expect(await gateway.stop()).toEqual({ code: 0, signal: null });
  });
});

it('CoAP over DTLS is served without plain CoAP where that is switched off', async () => {
  const gateway = await GatewayProcess.start({ ...coapsSettings, COAP_ENABLED: 'false' });
  const ready = await gateway.logged('ready');
  expect([ready.coap, gateway.coap, await gateway.metric('tandem_dtls_open')]).toEqual([undefined, 0, 1]);
  await (await ServerClient.login(gateway.http)).createDevice('secured-alone');
  const device = new DtlsDevice(Number(ready.coaps));
  expect(await device.post('api/v1/secured-alone/telemetry')).toBe('ACK 2.01');
  device.kill();
  expect(await gateway.stop()).toEqual({ code: 0, signal: null });
});

describe('The role coaps', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());

  it('alone does not start where OpenSSL cannot be reached, and says why in one line', async () => {
    const gateway = GatewayProcess.launch({
      ...coapsSettings,
      ...WITHOUT_KOFFI,
      REDIS_URL: redis.url,
      TANDEM_ROLES: 'coaps',
    });
    expect((await gateway.exit).code).toBe(1);
    expect(gateway.stderrLines).toEqual([expect.stringMatching(/there is no koffi for linux/)]);
  });

  it('alone serves what devices of the same Redis send, and resumes the sessions of another process', async () => {
    const shared = { REDIS_URL: redis.url };
    const [rest, one, other] = await Promise.all([
      GatewayProcess.start({ ...shared, TANDEM_ROLES: 'http,api' }),
      GatewayProcess.start({ ...shared, ...coapsSettings, TANDEM_ROLES: 'coaps' }),
      GatewayProcess.start({ ...shared, ...coapsSettings, TANDEM_ROLES: 'coaps' }),
    ]);
    expect([one.http, one.coap, await one.metric('tandem_dtls_open')]).toEqual([0, 0, 1]);
    const server = await ServerClient.login(rest.http);
    await server.createDevice('secured');
    const session = join(temporaryFolder(), 'session.pem');
    const first = new DtlsDevice(await portOf(one), { sessionOut: session });
    expect(await first.post('api/v1/secured/telemetry')).toBe('ACK 2.01');
    await eventually(() => (existsSync(session) ? undefined : 'no ticket came'));
    first.kill();
    const again = new DtlsDevice(await portOf(other), { sessionIn: session });
    expect(await again.post('api/v1/secured/telemetry')).toBe('ACK 2.01');
    expect(await other.metric('tandem_dtls_handshakes_total', { outcome: 'resumed' })).toBe(1);
    again.kill();
    expect(await one.stop()).toEqual({ code: 0, signal: null });
    expect(one.log.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('With a thousand sessions', () => {
  const COUNT = 1_000;
  const OBSERVERS = 40;

  it('observations end with their session, and SIGTERM tells everybody, and ends the process in time', async () => {
    const gateway = await GatewayProcess.start(coapsSettings);
    const server = await ServerClient.login(gateway.http);
    const port = await portOf(gateway);
    const sockets: UdpSocket[] = [];
    const clients: DtlsClient[] = [];
    const logger = { error() {}, warn() {}, info() {}, debug() {}, debugEnabled: false };
    for (let n = 0; n < COUNT; n++) {
      const socket = await openUdpSocket({ address: '127.0.0.1', port: 0, logger });
      sockets.push(socket);
      const client = new DtlsClient({ socket, server: { address: '127.0.0.1', port }, clock: systemClock }).start();
      clients.push(client);
      // A few at a time.
      if (n % 20 === 19) await Promise.all(clients.slice(-20).map((one) => one.opened()));
    }
    const finals: string[] = [];
    const registered: Promise<unknown>[] = [];
    for (const [n, client] of clients.slice(0, OBSERVERS).entries()) {
      await server.createDevice(`observer${n}`);
      registered.push(
        new Promise((resolve) => {
          client.onMessage = (bytes) => {
            const { code, options } = parse(bytes);
            if (options.some(({ name }) => name === 'Observe')) resolve(code);
            else finals.push(code);
          };
        }),
      );
      const path = ['api', 'v1', `observer${n}`, 'attributes'];
      const options = path.map((part) => ({ name: 'Uri-Path', value: Buffer.from(part) }) as const);
      client.send(
        generate({
          code: 'GET',
          confirmable: true,
          messageId: 1,
          token: Buffer.from([n]),
          options: [{ name: 'Observe', value: Buffer.alloc(0) }, ...options],
        }),
      );
    }
    await Promise.all(registered);
    expect(await gateway.metric('tandem_coap_observations', { protocol: 'coaps' })).toBe(OBSERVERS);
    // Half of them say goodbye: that ends what they observe, at once.
    for (const client of clients.slice(0, OBSERVERS / 2)) client.close();
    await gateway.settled('tandem_coap_observations', OBSERVERS / 2, { protocol: 'coaps' });
    expect(await gateway.metric('tandem_dtls_sessions')).toBe(COUNT - OBSERVERS / 2);

    const closed = clients.slice(OBSERVERS / 2).map(
      (client) =>
        new Promise((resolve) => {
          client.onState = resolve;
        }),
    );
    const begun = performance.now();
    expect(await gateway.stop()).toEqual({ code: 0, signal: null });
    expect(performance.now() - begun).toBeLessThan(10_000);
    await Promise.all(closed);
    expect(finals).toEqual(Array.from({ length: OBSERVERS / 2 }, () => '5.03'));
    expect(gateway.log.filter(({ level }) => level === 'error')).toEqual([]);
    for (const client of clients) client.free();
    await Promise.all(sockets.map((socket) => socket.close()));
  });
});
