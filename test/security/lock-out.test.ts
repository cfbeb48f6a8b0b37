import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { startRedis } from '../../packages/state-redis/src/testing/redis-server';
import { CoapDevice } from '../support/coap-device';
import { DtlsDevice } from '../support/dtls-device';
import { eventually } from '../support/eventually';
import { cleanUp, type Environment, GatewayProcess } from '../support/gateway-process';
import { ServerClient } from '../support/server-client';
import { Pki } from './pki';

const LOCK_OUT: Environment = {
  TB_TRANSPORT_IP_RATE_LIMITS_ENABLED: 'true',
  TB_TRANSPORT_MAX_WRONG_CREDENTIALS_PER_IP: '4',
  TB_TRANSPORT_IP_BLOCK_TIMEOUT: '600000',
  // So that each test comes from an address of its own.
  TANDEM_TRUSTED_PROXIES: '127.0.0.1',
};
const STORES = ['the embedded store', 'one Redis and two processes'] as const;

afterAll(cleanUp);

/** What curl got: the status and, where there is one, the time to come again. */
async function curl({ http }: GatewayProcess, token: string, from: string): Promise<{ status: number; wait: number }> {
  const { stdout } = await promisify(execFile)('curl', [
    ...['-sS', '-o', '/dev/null', '-w', '%{http_code} %header{retry-after}'],
    ...['-H', `X-Forwarded-For: ${from}`, '-d', '{"a":1}', `http://127.0.0.1:${http}/api/v1/${token}/telemetry`],
  ]);
  const [status, wait] = stdout.split(' ').map(Number);
  return { status: status ?? 0, wait: wait ?? 0 };
}

describe.each(STORES)('On %s', (store) => {
  let redis: Awaited<ReturnType<typeof startRedis>> | undefined;
  /** The last is the other one, where there are two. */
  let gateways: readonly GatewayProcess[];
  let one: GatewayProcess;
  let other: GatewayProcess;

  beforeAll(async () => {
    redis = store === 'the embedded store' ? undefined : await startRedis();
    const settings = redis ? { ...LOCK_OUT, REDIS_URL: redis.url } : LOCK_OUT;
    one = await GatewayProcess.start(settings);
    other = redis ? await GatewayProcess.start(settings) : one;
    gateways = [...new Set([one, other])];
    const server = await ServerClient.login(one.http);
    await server.createDevice('right-token-1');
    await server.createDevice('right-token-2');
  });
  afterAll(async () => {
    await Promise.all(gateways.map((gateway) => gateway.stop()));
    await redis?.stop();
  });

  it('an address that guesses is locked out, at every process, and a right token does not let it guess on', async () => {
    const from = '192.0.2.1';
    expect((await curl(other, 'right-token-1', from)).status).toBe(200);
    const statuses: number[] = [];
    for (const [at, token] of [
      [one, 'guess-1'],
      [other, 'guess-2'],
      [one, 'right-token-1'],
      [other, 'guess-3'],
      [one, 'guess-4'],
      [one, 'guess-5'],
      [one, 'right-token-1'],
      // No process has looked this one up: the first lookup tells it of the lock.
      [other, 'right-token-2'],
      // It has this one in its cache.
      [other, 'right-token-1'],
    ] as const) {
      statuses.push((await curl(at, token, from)).status);
    }
    expect(statuses).toEqual([401, 401, 200, 401, 401, 429, 429, 429, 429]);
    const { wait } = await curl(one, 'right-token-1', from);
    expect(wait).toBeGreaterThan(300);
    expect(wait).toBeLessThanOrEqual(600);
    for (const gateway of gateways) expect(await gateway.metric('tandem_locked_addresses')).toBe(1);
  });

  it('devices at other addresses, and those that speak plain CoAP, notice nothing', async () => {
    const from = '192.0.2.2';
    for (let n = 0; n < 4; n++) await curl(one, 'guess', from);
    expect((await curl(one, 'right-token-1', from)).status).toBe(429);
    expect((await curl(one, 'right-token-1', '192.0.2.3')).status).toBe(200);
    const coap = await CoapDevice.open(one.coap, 'right-token-1');
    const stranger = await CoapDevice.open(one.coap, 'guess');
    for (let n = 0; n < 5; n++) expect(await stranger.post('telemetry', '{"a":1}')).toMatchObject({ code: '4.01' });
    expect(await coap.post('telemetry', '{"a":1}')).toMatchObject({ code: '2.01' });
    coap.close();
    stranger.close();
  });

  it('of many guesses at once no more are looked up than may be wrong', async () => {
    const at = (gateway: GatewayProcess, n: number) =>
      fetch(`http://127.0.0.1:${gateway.http}/api/v1/at-once-${n}/telemetry`, {
        method: 'POST',
        body: '{"a":1}',
        headers: { 'X-Forwarded-For': '192.0.2.4' },
      });
    const before = await one.metric('tandem_credentials_cache_misses_total');
    const answers = await Promise.all(Array.from({ length: 300 }, (_, n) => at(one, n)));
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(4);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(296);
    expect((await one.metric('tandem_credentials_cache_misses_total')) - before).toBe(4);
  });
});

describe('In DTLS sessions', () => {
  const pki = new Pki();
  afterAll(() => pki.remove());

  it('wrong tokens lock the address out of them, of new handshakes and of HTTP', async () => {
    const gateway = await GatewayProcess.start({
      ...LOCK_OUT,
      COAP_DTLS_ENABLED: 'true',
      COAP_DTLS_BIND_ADDRESS: '127.0.0.1',
      COAP_DTLS_BIND_PORT: '0',
      COAP_DTLS_PEM_CERT: pki.server.chainFile,
      COAP_DTLS_PEM_KEY: pki.server.keyFile,
    });
    const port = Number((await gateway.logged('ready')).coaps);
    await (await ServerClient.login(gateway.http)).createDevice('right-token-3');
    const device = new DtlsDevice(port);
    const guesser = new DtlsDevice(port);
    const right = 'api/v1/right-token-3/telemetry';
    expect(await device.post(right)).toBe('ACK 2.01');
    for (let n = 0; n < 4; n++) expect(await guesser.post(`api/v1/guess-${n}/telemetry`)).toBe('ACK 4.01');
    expect([await guesser.post(right), await device.post(right)]).toEqual(['ACK 4.29', 'ACK 4.29']);
    expect((await curl(gateway, 'right-token-3', '127.0.0.1')).status).toBe(429);
    const refused = () => gateway.metric('tandem_locked_addresses_refused_total');
    const before = await refused();
    const late = new DtlsDevice(port);
    await eventually(async () => ((await refused()) > before ? undefined : 'a handshake was not refused'));
    expect(await gateway.metric('tandem_dtls_sessions')).toBe(2);
    // The guesser's, which takes no place of a device.
    expect(await gateway.metric('tandem_dtls_strangers')).toBe(1);
    for (const each of [device, guesser, late]) each.kill();
    await gateway.stop();
  });
});
