import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RedisServer, startRedis } from '../packages/state-redis/src/testing/redis-server';
import { CoapDevice, type CoapExchange } from './support/coap-device';
import { eventually } from './support/eventually';
import { freeUdpPort } from './support/free-port';
import { cleanUp, type Environment, GatewayProcess, ROOT, TandemProcess } from './support/gateway-process';
import { HttpDevice } from './support/http-device';
import { ServerClient } from './support/server-client';

const WORKERS = 2;
/** Enough that each worker has some, but for once in some hundred thousand runs. */
const MANY = 20;

/** Of a device that gateways know which have no server API, and start the sooner for that. */
const TOKEN = 'shared-by-workers';

let redis: RedisServer;
let gateway: GatewayProcess;
let server: ServerClient;
let id: string;

beforeAll(async () => {
  redis = await startRedis({ appendonly: 'everysec' });
  gateway = await GatewayProcess.start(workers());
  server = await ServerClient.login(gateway.http);
  id = await server.createDevice(TOKEN);
});

afterAll(async () => {
  await cleanUp();
  await redis.stop();
});

const workers = (settings: Environment = {}): Environment => ({
  REDIS_URL: redis.url,
  TANDEM_WORKERS: String(WORKERS),
  ...settings,
});

/** The process that has that number now. */
function pidOf(gateway: GatewayProcess, worker: number): number {
  const begun = gateway.log.filter((line) => line.message === 'worker ready' && line.worker === worker);
  return Number(begun.at(-1)?.pid);
}

/** Resolves when a worker has been started in the place of another one. */
async function untilReplaced(gateway: GatewayProcess, worker: number, pid: number): Promise<void> {
  await eventually(() => (pidOf(gateway, worker) === pid ? `worker ${worker} is not back` : undefined));
  await gateway.settled('tandem_workers_ready', WORKERS);
}

/** Not: of whom nothing is left but that nobody has asked how it ended. */
function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

const ready = async (gateway: GatewayProcess) => {
  const response = await fetch(`http://127.0.0.1:${gateway.metrics}/readyz`);
  return { status: response.status, text: await response.text() };
};

describe('A gateway of two workers', () => {
  let device: HttpDevice;
  /** Each with a device of its own, since of the observations of one device the newest counts. */
  const observers: { readonly id: string; readonly token: string }[] = [];

  beforeAll(async () => {
    device = new HttpDevice(gateway.http, TOKEN);
    for (let n = 0; n < MANY; n++) {
      const token = `observer-at-workers-${n}`;
      observers.push({ id: await server.createDevice(token), token });
    }
  });

  const peers = () =>
    Promise.all(
      observers.map(async ({ id, token }) => {
        const coap = await CoapDevice.open(gateway.coap, token);
        return { id, coap, post: (payload: string) => coap.post('telemetry', payload) };
      }),
    );
  type Peer = Awaited<ReturnType<typeof peers>>[number];

  async function observe(coap: CoapDevice): Promise<CoapExchange> {
    const observation = coap.observe('attributes');
    expect((await observation.next()).code).toBe('2.05');
    return observation;
  }

  it('is ready when all of them are, and each says its number in the log', async () => {
    expect(await ready(gateway)).toEqual({ status: 200, text: 'ready\n' });
    const verbose = await (await fetch(`http://127.0.0.1:${gateway.metrics}/readyz?verbose`)).text();
    expect(verbose.trimEnd().split('\n').sort()).toEqual(
      [1, 2]
        .flatMap((n) => ['http', 'coap', 'api', 'store', 'materialiser'].map((part) => `worker ${n}: ${part}: up`))
        .concat('ready')
        .sort(),
    );
    expect(gateway.log.find(({ message }) => message === 'ready')).toMatchObject({ workers: WORKERS });
    expect(new Set([1, 2].map((worker) => pidOf(gateway, worker))).size).toBe(WORKERS);
  });

  it('brings an attribute that one of them took to the polls and observations at both', async () => {
    const devices = await peers();
    const observations = new Map<Peer, CoapExchange>();
    for (const peer of devices) observations.set(peer, await observe(peer.coap));
    const polls = Array.from({ length: MANY }, () => device.poll('attributes/updates'));
    await gateway.openPolls(MANY);
    await gateway.observations(MANY);
    await server.share(id, { target: 21 });
    for (const poll of await Promise.all(polls)) expect(poll).toMatchObject({ status: 200, text: '{"target":21}' });
    for (const [peer, observation] of observations) {
      await server.share(peer.id, { target: 21 });
      expect((await observation.next()).text).toBe('{"target":21}');
    }
    const listing = await fetch(`http://127.0.0.1:${gateway.metrics}/observations?limit=${MANY - 1}`);
    const { total, observations: rows } = (await listing.json()) as { total: number; observations: unknown[] };
    expect([total, rows.length]).toEqual([MANY, MANY - 1]);
    for (const { coap } of devices) coap.close();
  });

  it('leaves each CoAP peer with its worker, and answers what came meanwhile when that has been started again', async () => {
    const devices = await peers();
    const pid = pidOf(gateway, 2);
    // Who is answered while the second worker stands still is a peer of the first.
    process.kill(pid, 'SIGSTOP');
    const answered = new Set<Peer>();
    const answers = devices.map((peer) => peer.post('{"a":1}').then(() => answered.add(peer)));
    const [live] = await Promise.all([
      fetch(`http://127.0.0.1:${gateway.metrics}/livez`),
      eventually(async () =>
        (await ready(gateway)).text.includes('worker 2 does not answer') ? undefined : 'nothing is said of worker 2',
      ),
    ]);
    expect([live.status, await live.text()]).toEqual([503, 'not alive: worker 2 does not answer\n']);
    const ofTheFirst = [...answered];
    expect(ofTheFirst.length).toBeGreaterThan(0);
    expect(ofTheFirst.length).toBeLessThan(MANY);
    const observations = new Map<Peer, CoapExchange>();
    for (const peer of ofTheFirst) observations.set(peer, await observe(peer.coap));
    process.kill(pid, 'SIGKILL');
    await untilReplaced(gateway, 2, pid);
    // What was sent to the one that stood still is answered by the one in its place.
    await Promise.all(answers);
    // The peers of the first are still heard by it, and it by them.
    for (const target of [22, 23]) {
      for (const [peer, observation] of observations) {
        // The second one is sent when the first has been acknowledged.
        await server.share(peer.id, { target });
        expect((await observation.next()).text).toBe(`{"target":${target}}`);
      }
    }
    for (const { coap } of devices) coap.close();
  });

  it('keeps all that it acknowledged when one of them is killed under load, and starts it again', async () => {
    const token = 'loaded-at-workers';
    const loaded = await server.createDevice(token);
    const http = new HttpDevice(gateway.http, token);
    const polls = Array.from({ length: MANY }, () => device.poll('rpc').catch(() => undefined));
    await gateway.openPolls(MANY);
    const acknowledged: number[] = [];
    let next = 0;
    let posting = true;
    const post = async () => {
      while (posting) {
        const ts = ++next;
        const answer = await http.post('telemetry', `{"ts":${ts},"values":{"n":${ts}}}`).catch(() => undefined);
        if (answer?.status === 200) acknowledged.push(ts);
      }
    };
    const posts = Array.from({ length: 8 }, post);
    await eventually(() => (acknowledged.length < 100 ? 'too few posts' : undefined));
    const pid = pidOf(gateway, 1);
    process.kill(pid, 'SIGKILL');
    await gateway.logged('worker ended; it is started again');
    const before = acknowledged.length;
    await eventually(() => (acknowledged.length < before + 100 ? 'no posts without the worker' : undefined));
    await untilReplaced(gateway, 1, pid);
    posting = false;
    await Promise.all(posts);
    // Some of the polls were at the one that died; those at the other wait on.
    const waiting = await gateway.metric('tandem_http_open_polls');
    expect(waiting).toBeGreaterThan(0);
    expect(waiting).toBeLessThan(MANY);
    await server.command('oneway', id, { method: 'end', params: {} });
    const ended = await Promise.all(polls);
    expect(ended.filter((answer) => answer?.status === 200)).toHaveLength(waiting);
    await eventually(async () => {
      const stored = new Set((await server.history(loaded, 'n')).map(({ ts }) => ts));
      const lost = acknowledged.filter((ts) => !stored.has(ts));
      return lost.length > 0 ? `acknowledged and not stored: ${lost}` : undefined;
    });
    expect(await gateway.metric('tandem_worker_restarts_total')).toBe(2);
    expect(await ready(gateway)).toEqual({ status: 200, text: 'ready\n' });
  });

  it.each([
    ['alone', { TANDEM_WORKERS: '1' }],
    ['of workers', {}],
  ])('lets no other gateway %s have its CoAP port', async (_kind, settings) => {
    const other = GatewayProcess.launch(workers({ COAP_BIND_PORT: String(gateway.coap), ...settings }));
    expect(await other.exit).toEqual({ code: 1, signal: null });
    expect(other.stderrLines).toEqual([`tandem: UDP port ${gateway.coap} on 127.0.0.1 is in use: see COAP_BIND_PORT`]);
  });

  it('lets no other program have its CoAP port that would take an address for shared', async () => {
    const greedy = createSocket({ type: 'udp4', reuseAddr: true });
    greedy.bind(gateway.coap, '127.0.0.1');
    const [error] = (await once(greedy, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('EADDRINUSE');
  });

  it('does not start again with a worker that cannot: it says that worker’s sentence, once', async () => {
    const other = GatewayProcess.launch(workers({ HTTP_BIND_PORT: String(gateway.http) }));
    expect(await other.exit).toEqual({ code: 1, signal: null });
    expect(other.stderrLines).toEqual([
      `tandem: port ${gateway.http} (TCP) on 127.0.0.1 is in use by another process (HTTP_BIND_PORT)`,
    ]);
  });

  it('ends all of them in good order when it is told to, after all who wait were answered', async () => {
    const polls = Array.from({ length: MANY }, () => device.poll('attributes/updates'));
    const [peer] = await peers();
    const observation = peer && (await observe(peer.coap));
    await gateway.openPolls(MANY);
    const pids = [1, 2].map((worker) => pidOf(gateway, worker));
    expect(await gateway.stop()).toEqual({ code: 0, signal: null });
    expect(new Set((await Promise.all(polls)).map(({ status }) => status))).toEqual(new Set([503]));
    expect(await observation?.next()).toMatchObject({ code: '5.03' });
    expect(pids.filter(isAlive)).toEqual([]);
    expect(gateway.stderr).toBe('');
    expect(gateway.log.at(-1)?.message).toBe('stopped');
  });
});

describe('A gateway of workers', () => {
  it('whose supervisor is killed stops all the same, in good order', async () => {
    const gateway = await GatewayProcess.start(workers({ TANDEM_ROLES: 'http' }));
    const polls = Array.from({ length: 4 }, () => new HttpDevice(gateway.http, TOKEN).poll('rpc'));
    await gateway.openPolls(4);
    const pids = [1, 2].map((worker) => pidOf(gateway, worker));
    // All that was written has been read when this resolves, so nobody is left who could write.
    expect(await gateway.stop('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
    expect(pids.filter(isAlive)).toEqual([]);
    for (const { status } of await Promise.all(polls)) expect(status).toBe(503);
    expect(gateway.log.filter(({ message }) => message === 'worker stopping')).toMatchObject(
      pids.map(() => ({ signal: 'the supervisor is gone' })),
    );
  });

  it('that cannot share a UDP port serves CoAP by the first alone, and ends at an interrupt that all of them hear', async () => {
    const gateway = await GatewayProcess.start(
      workers({
        TANDEM_ROLES: 'http,coap',
        NODE_OPTIONS: `--require ${join(ROOT, 'test', 'support', 'no-koffi.cjs')}`,
        COAP_BIND_PORT: String(await freeUdpPort()),
      }),
    );
    expect(await gateway.logged('CoAP is served by the first worker alone, everything else by all')).toMatchObject({
      level: 'warn',
      reason: expect.stringContaining('there is no koffi'),
    });
    const devices = await Promise.all(Array.from({ length: 8 }, () => CoapDevice.open(gateway.coap, TOKEN)));
    for (const peer of devices) expect((await peer.post('telemetry', '{"a":1}')).code).toBe('2.01');
    for (const peer of devices) peer.close();
    // As a terminal does it: to the whole group.
    for (const pid of [gateway.pid, pidOf(gateway, 1), pidOf(gateway, 2)]) process.kill(pid, 'SIGINT');
    expect(await gateway.exit).toEqual({ code: 0, signal: null });
    expect(gateway.log.filter(({ level }) => level === 'error')).toEqual([]);
    expect(gateway.stderr).toBe('');
  });

  it('needs a store that processes share: on a folder neither the start nor the check of settings passes', async () => {
    const line =
      'tandem: TANDEM_WORKERS must be 1 without REDIS_URL: the embedded store is open to one process only, not "2"';
    for (const process of [
      GatewayProcess.launch({ TANDEM_WORKERS: '2' }),
      new TandemProcess(['config', 'check'], { TANDEM_WORKERS: '2' }),
    ]) {
      expect(await process.exit).toEqual({ code: 1, signal: null });
      expect(process.stderrLines).toEqual([line]);
    }
  });
});
