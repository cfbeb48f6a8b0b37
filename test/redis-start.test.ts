import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startRedisCluster } from '../packages/state-redis/src/testing/redis-cluster';
import {
  type RedisServer,
  type RedisServerOptions,
  startRedis,
} from '../packages/state-redis/src/testing/redis-server';
import { type ReservedPort, reservePort } from '../packages/state-redis/src/testing/reserve-port';
import { ADMIN_EMAIL, cleanUp, type Environment, GatewayProcess, temporaryFolder } from './support/gateway-process';
import { soon } from './support/gateways';
import { HttpDevice } from './support/http-device';
import { ServerClient } from './support/server-client';

const WAITING = 'Redis cannot be used yet; trying on';
const servers: RedisServer[] = [];
const ports: ReservedPort[] = [];

afterAll(async () => {
  await cleanUp();
  await Promise.all(servers.map((server) => server.stop()));
  for (const { release } of ports) release();
});

async function redis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const server = await startRedis({ appendonly: 'everysec', ...options });
  servers.push(server);
  return server;
}

/** A process whose metrics port is known before it is ready. */
async function launch(settings: Environment) {
  const reserved = await reservePort();
  ports.push(reserved);
  const gateway = GatewayProcess.launch({ TANDEM_METRICS_PORT: String(reserved.port), ...settings });
  const ask = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${reserved.port}/${path}`);
    return { status: response.status, text: await response.text() };
  };
  return { gateway, ask };
}

describe('A process whose Redis is not there', () => {
  it('says so, is alive but not ready, and gets ready when Redis comes', async () => {
    const server = await redis();
    await server.kill9();
    const { gateway, ask } = await launch({ REDIS_URL: server.url });
    const reason = `127.0.0.1:${server.port} refuses the connection: is Redis running there? (REDIS_URL)`;
    expect(await gateway.logged(WAITING)).toMatchObject({ level: 'error', reason });
    expect((await ask('livez')).status).toBe(200);
    expect((await ask('metrics')).status).toBe(200);
    const { status, text } = await ask('readyz');
    expect(status).toBe(503);
    const starting = ['http', 'api', 'coap'].map((door) => `not ready: ${door} is starting`);
    expect(text.trimEnd().split('\n')).toEqual([...starting, `not ready: the store does not answer: ${reason}`]);
    await server.restart();
    await gateway.logged('ready');
    expect(await ask('readyz')).toEqual({ status: 200, text: 'ready\n' });
    expect(gateway.log.filter(({ message }) => message === WAITING)).toHaveLength(1);
    expect(existsSync(gateway.folder)).toBe(false);
    expect(await gateway.stop()).toEqual({ code: 0, signal: null });
  });

  it('ends at once and in good order when it is told to stop', async () => {
    const { port } = await reservedPort();
    const { gateway } = await launch({ REDIS_URL: `redis://127.0.0.1:${port}` });
    await gateway.logged(WAITING);
    const asked = performance.now();
    expect(await gateway.stop()).toEqual({ code: 0, signal: null });
    expect(performance.now() - asked).toBeLessThan(2_000);
    expect(gateway.stderr).toBe('');
    expect(gateway.log.slice(-2).map(({ message }) => message)).toEqual(['stopping', 'stopped']);
  });

  it('waits also for the right password, and never shows one', async () => {
    const server = await redis({ password: 'hunter2' });
    const { gateway, ask } = await launch({ REDIS_URL: `redis://:hunter3@127.0.0.1:${server.port}` });
    expect((await gateway.logged(WAITING)).reason).toMatch(/refuses the user name or the password/);
    expect((await ask('readyz')).text).toMatch(/refuses the user name or the password/);
    await server.cli('CONFIG', 'SET', 'requirepass', 'hunter3');
    await gateway.logged('ready');
    await gateway.stop();
    expect(gateway.stdout + gateway.stderr).not.toContain('hunter');
  });
});

describe('A process whose Redis does not answer any more', () => {
  it('says within time that it is not ready, and is when Redis is back', async () => {
    const server = await redis();
    const { gateway, ask } = await launch({ REDIS_URL: server.url });
    await gateway.logged('ready');
    server.pause();
    const asked = performance.now();
    expect(await ask('readyz')).toEqual({ status: 503, text: 'not ready: the store does not answer\n' });
    expect(performance.now() - asked).toBeLessThan(4_000);
    const { text } = await ask('readyz?verbose');
    expect(text.split('\n')).toEqual(
      expect.arrayContaining(['http: up', 'coap: up', 'api: up', 'store: failing: the store does not answer']),
    );
    expect((await ask('livez')).status).toBe(200);
    server.resume();
    await soon(async () => (await ask('readyz')).status === 200);
    expect(await gateway.stop()).toEqual({ code: 0, signal: null });
  });
});

describe('A process that is told to stop while Redis is away', () => {
  /** With a device that has just sent something, and one that waits. */
  const stop = async (url: string, away: () => unknown) => {
    const gateway = await GatewayProcess.start({ REDIS_URL: url });
    await (await ServerClient.login(gateway.http)).createDevice('busy');
    const device = new HttpDevice(gateway.http, 'busy');
    const poll = device.poll('rpc');
    await gateway.openPolls(1);
    expect((await device.post('telemetry', '{"a":1}')).status).toBe(200);
    await away();
    expect(await gateway.stop()).toEqual({ code: 0, signal: null });
    expect((await poll).status).toBe(503);
  };

  it('ends within its time when that was killed', async () => {
    const server = await redis();
    await stop(server.url, () => server.kill9());
  });

  it('ends within its time when that hangs', async () => {
    const server = await redis();
    await stop(server.url, () => server.pause());
  });

  it('ends within its time when a whole Cluster hangs', async () => {
    const cluster = await startRedisCluster({ masters: 3, replicas: 0, appendonly: 'everysec' });
    await stop(cluster.url, () => {
      for (const node of cluster.nodes) node.pause();
    }).finally(() => cluster.stop());
  });
});

describe('A process that is told to stop while Redis hangs', () => {
  /** After the store's own time-out whoever waits would be answered anyway. */
  const ANSWERED_WITHIN = 2_500;

  it('tells whoever waits for it to come back, and ends well before its time is over', async () => {
    const server = await redis();
    const gateway = await GatewayProcess.start({ REDIS_URL: server.url });
    const client = await ServerClient.login(gateway.http);
    const id = await client.createDevice('busy');
    const device = new HttpDevice(gateway.http, 'busy');
    expect((await device.get('attributes')).status).toBe(200);
    server.pause();
    const requests = [
      device.post('telemetry', '{"a":1}'),
      device.post('attributes', '{"a":1}'),
      device.get('attributes?clientKeys=a'),
      httpGet(gateway.http, `/api/device/${id}`, client.jwt),
    ];
    await gateway.settled('tandem_http_received_requests_total', 1, { operation: 'telemetry' });
    await gateway.settled('tandem_http_received_requests_total', 1, { operation: 'attributes_write' });
    await gateway.settled('tandem_http_received_requests_total', 2, { operation: 'attributes_read' });
    const asked = performance.now();
    const exit = gateway.stop();
    for (const answer of await Promise.all(requests)) {
      expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '1', connection: 'close' } });
      expect(JSON.parse(answer.text)).toMatchObject({ status: 503, message: 'The gateway is shutting down' });
    }
    expect(performance.now() - asked).toBeLessThan(ANSWERED_WITHIN);
    expect(await exit).toEqual({ code: 0, signal: null });
    expect(performance.now() - asked).toBeLessThan(10_000);
  });
});

describe('A Redis that must not be used', () => {
  it('stops the start in one line', async () => {
    const server = await redis({ args: ['--maxmemory', '50mb', '--maxmemory-policy', 'allkeys-lru'] });
    const gateway = GatewayProcess.launch({ REDIS_URL: server.url });
    expect(await gateway.exit).toEqual({ code: 1, signal: null });
    expect(gateway.stderrLines).toEqual([expect.stringMatching(/^tandem: Redis at .* allkeys-lru: .*noeviction$/)]);
  });
});

describe('Processes that start at once on an empty Redis', () => {
  const FILE = 'initial-admin-password';

  it('make one administrator, whose password one of them writes down', async () => {
    const server = await redis();
    const settings = { REDIS_URL: server.url, TANDEM_ADMIN_PASSWORD: '', TANDEM_ROLES: 'api' };
    const gateways = await Promise.all([1, 2, 3].map(() => GatewayProcess.start(settings)));
    const files = gateways.map(({ folder }) => join(folder, FILE)).filter((file) => existsSync(file));
    expect(files).toHaveLength(1);
    const password = readFileSync(files[0] ?? '', 'utf8').trimEnd();
    const logins = await Promise.all(gateways.map(({ http }) => ServerClient.login(http, ADMIN_EMAIL, password)));
    const tenants = await Promise.all(
      logins.map(async (login) => JSON.parse((await login.send('GET', '/api/auth/user')).text).tenantId.id as string),
    );
    expect(new Set(tenants).size).toBe(1);
    expect(await server.cli('HLEN', 'tandem:{registry}:users')).toBe('1');
    expect(await server.cli('HLEN', 'tandem:{registry}:tenants')).toBe('1');
    await Promise.all(gateways.map((gateway) => gateway.stop()));
  });

  it('do so also on one data folder', async () => {
    const server = await redis();
    const folder = join(temporaryFolder(), 'data');
    const settings = { REDIS_URL: server.url, TANDEM_ADMIN_PASSWORD: '' };
    const gateways = await Promise.all([1, 2].map(() => GatewayProcess.start(settings, folder)));
    const password = readFileSync(join(folder, FILE), 'utf8').trimEnd();
    for (const { http } of gateways) await ServerClient.login(http, ADMIN_EMAIL, password);
    await Promise.all(gateways.map((gateway) => gateway.stop()));
  });

  it('leave it, and the console, to the role `api`, and make no folder', async () => {
    const server = await redis();
    const door = await GatewayProcess.start({ REDIS_URL: server.url, TANDEM_ADMIN_PASSWORD: '', TANDEM_ROLES: 'http' });
    expect(existsSync(door.folder)).toBe(false);
    expect(await server.cli('EXISTS', 'tandem:{registry}:users')).toBe('0');
    expect((await fetch(`http://127.0.0.1:${door.http}/`)).status).toBe(404);
    await door.stop();
  });
});

describe('A Redis that comes back empty', () => {
  it('has an administrator again, and processes old and new agree on who is logged in', async () => {
    const server = await redis({ appendonly: 'no' });
    const settings = { REDIS_URL: server.url };
    const [one, two] = await Promise.all([1, 2].map(() => GatewayProcess.start(settings)));
    if (!one || !two) throw new Error('two processes');
    const before = await ServerClient.login(one.http);
    await before.createDevice('lost');
    await server.restart({ empty: true });
    await soon(() =>
      ServerClient.login(one.http).then(
        () => true,
        () => false,
      ),
    );
    const three = await GatewayProcess.start(settings);
    for (const [issuer, reader] of [
      [one, two],
      [two, three],
      [three, one],
    ] as const) {
      const login = await ServerClient.login(issuer.http);
      expect((await login.at(reader.http).send('GET', '/api/auth/user')).status).toBe(200);
    }
    expect((await before.send('GET', '/api/auth/user')).status).toBe(401);
    const again = await ServerClient.login(two.http);
    await again.createDevice('found');
    expect((await fetch(`http://127.0.0.1:${one.http}/api/v1/found/attributes`)).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${one.http}/api/v1/lost/attributes`)).status).toBe(401);
    await Promise.all([one, two, three].map((gateway) => gateway.stop()));
  });
});

/** With the headers of the answer. */
async function httpGet(port: number, path: string, jwt: string) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { 'X-Authorization': `Bearer ${jwt}` } });
  return { status: response.status, headers: Object.fromEntries(response.headers), text: await response.text() };
}

async function reservedPort(): Promise<ReservedPort> {
  const reserved = await reservePort();
  ports.push(reserved);
  return reserved;
}
