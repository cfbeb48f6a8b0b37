import { startRedis } from '../packages/state-redis/src/testing/redis-server';
import { Pki } from './security/pki';
import { CoapDevice } from './support/coap-device';
import { DtlsDevice } from './support/dtls-device';
import { cleanUp, GatewayProcess } from './support/gateway-process';
import { SplitGateway, soon } from './support/gateways';
import { HttpDevice } from './support/http-device';
import { ServerClient } from './support/server-client';

interface Listed {
  readonly total: { readonly polls: number; readonly observations: number };
  readonly waiters: readonly Readonly<Record<string, unknown>>[];
  readonly processes: number;
  readonly unanswered: number;
}

const list = async (server: ServerClient, query = ''): Promise<Listed> => {
  const { status, text } = await server.send('GET', `/api/tandem/waiters${query}`);
  if (status !== 200) throw new Error(text);
  return JSON.parse(text);
};

afterAll(cleanUp);

describe('Who waits at a gateway of several processes', () => {
  let redis: Awaited<ReturnType<typeof startRedis>>;
  let pki: Pki;
  let gateway: SplitGateway;
  let coaps: GatewayProcess;
  let foreign: GatewayProcess;

  beforeAll(async () => {
    pki = new Pki();
    redis = await startRedis();
    const settings = { REDIS_URL: redis.url, TANDEM_WAITERS_RATE: '1000000:1', TANDEM_WAITERS_TIMEOUT: '3000' };
    const dtls = { COAP_DTLS_PEM_CERT: pki.server.chainFile, COAP_DTLS_PEM_KEY: pki.server.keyFile };
    [gateway, coaps, foreign] = await Promise.all([
      SplitGateway.start(settings),
      GatewayProcess.start({ ...settings, ...dtls, TANDEM_ROLES: 'coaps' }),
      GatewayProcess.start({ ...settings, TANDEM_REDIS_PREFIX: 'another' }),
    ]);
  });
  afterAll(async () => {
    await cleanUp();
    await redis.stop();
    pki.remove();
  });

  it('is told by any of them, with the polls and observations of all', async () => {
    const { id, http, coap, token } = await gateway.device();
    const secure = new DtlsDevice(coaps.coaps);
    await http.takePlace();
    const poll = http.poll('attributes/updates');
    const observation = coap.observe('rpc');
    await observation.next();
    await secure.observe(`api/v1/${token}/attributes`);
    await gateway.http.openPolls(1);
    const { waiters, ...counts } = await list(gateway.server, `?deviceId=${id}`);
    expect(counts).toEqual({ total: { polls: 1, observations: 2 }, processes: 4, unanswered: 0 });
    const about = {
      deviceId: id,
      deviceName: `device of ${token}`,
      peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      ageSeconds: expect.any(Number),
      process: expect.stringMatching(/^[\da-f]{12}$/),
      notifications: 0,
    };
    const sorted = [...waiters].sort((a, b) => String(b.protocol).localeCompare(String(a.protocol)));
    expect(sorted).toEqual([
      { ...about, protocol: 'http', kind: 'attributes', state: 'waiting' },
      { ...about, protocol: 'coaps', kind: 'attributes', state: 'idle' },
      { ...about, protocol: 'coap', kind: 'rpc', state: expect.any(String) },
    ]);
    expect(new Set(waiters.map(({ process }) => process)).size).toBe(3);
    expect(JSON.stringify(waiters)).not.toContain(`"${token}"`);

    await gateway.server.share(id, { mode: 'eco' });
    await poll;
    await soon(async () => (await list(gateway.server, `?deviceId=${id}`)).waiters.some((w) => w.notifications === 1));
    expect((await list(gateway.server, `?deviceId=${id}`)).total).toEqual({ polls: 0, observations: 2 });
    secure.kill();
    coap.close();
  });

  it('is not told to a gateway of another prefix, nor by one', async () => {
    const server = await ServerClient.login(foreign.http);
    const id = await server.createDevice('token-of-another-prefix');
    const coap = await CoapDevice.open(foreign.coap, 'token-of-another-prefix');
    await coap.observe('attributes').next();
    expect(await list(server)).toMatchObject({ total: { observations: 1 }, waiters: [{ deviceId: id }], processes: 1 });
    const { waiters, processes } = await list(gateway.server);
    expect(waiters.map(({ deviceId }) => deviceId)).not.toContain(id);
    expect(processes).toBe(4);
    coap.close();
  });

  it('is told by the others in time where one does not answer, and all is well once it does', async () => {
    const { id, http } = await gateway.device();
    const poll = http.poll('rpc');
    await gateway.http.openPolls(1);
    gateway.coap.kill('SIGSTOP');
    try {
      expect(await list(gateway.server, `?deviceId=${id}`)).toMatchObject({
        total: { polls: 1 },
        processes: 3,
        unanswered: 1,
      });
    } finally {
      gateway.coap.kill('SIGCONT');
    }
    await soon(async () => (await list(gateway.server)).processes === 4);
    await gateway.server.send('DELETE', `/api/device/${id}`);
    await poll;
  });
});

describe('Who waits at a gateway of one process', () => {
  it('is told by it, and gone when the device is', async () => {
    const gateway = await GatewayProcess.start({ TANDEM_WAITERS_RATE: '1000000:1', TANDEM_WAITERS_TIMEOUT: '3000' });
    const server = await ServerClient.login(gateway.http);
    const id = await server.createDevice('token-of-one-process');
    const poll = new HttpDevice(gateway.http, 'token-of-one-process').poll('rpc');
    await gateway.openPolls(1);
    expect(await list(server)).toMatchObject({ total: { polls: 1, observations: 0 }, waiters: [{ deviceId: id }] });
    await server.send('DELETE', `/api/device/${id}`);
    await poll;
    expect(await list(server)).toEqual({
      total: { polls: 0, observations: 0 },
      waiters: [],
      processes: 1,
      unanswered: 0,
    });
  });
});
