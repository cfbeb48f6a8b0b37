import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type RedisServer, startRedis } from '../packages/state-redis/src/testing/redis-server';
import { eventually } from './support/eventually';
import { familiesOf } from './support/exposition';
import { cleanUp, GatewayProcess, ROOT } from './support/gateway-process';
import { HttpDevice } from './support/http-device';
import { ServerClient } from './support/server-client';

afterAll(cleanUp);

describe('A gateway that has started', () => {
  let gateway: GatewayProcess;
  beforeAll(async () => {
    gateway = await GatewayProcess.start();
  });

  const ask = async (path: string, method = 'GET', headers: Record<string, string> = {}) => {
    const response = await fetch(`http://127.0.0.1:${gateway.metrics}${path}`, { method, headers });
    return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
  };

  it('is ready and alive', async () => {
    expect(await ask('/readyz')).toMatchObject({ status: 200, text: 'ready\n' });
    expect(await ask('/livez')).toMatchObject({ status: 200, text: 'alive\n' });
  });

  it('tells of each of its parts, as text or as JSON', async () => {
    const names = ['http', 'coap', 'api', 'store', 'materialiser'];
    const { text } = await ask('/readyz?verbose');
    const [ready, ...lines] = text.trimEnd().split('\n');
    expect(ready).toBe('ready');
    expect(lines.sort()).toEqual(names.map((name) => `${name}: up`).sort());
    const json = await ask('/readyz', 'GET', { accept: 'application/json' });
    expect(json).toMatchObject({ status: 200, type: 'application/json' });
    const { ready: isReady, parts } = JSON.parse(json.text) as { ready: boolean; parts: { name: string }[] };
    expect(isReady).toBe(true);
    expect(parts.map(({ name }) => name).sort()).toEqual([...names].sort());
    expect(parts).toContainEqual({ name: 'store', state: 'up', needed: true });
  });

  it('answers HEAD without a body', async () => {
    expect(await ask('/readyz', 'HEAD')).toMatchObject({ status: 200, text: '' });
  });

  it('knows no other path and no other method on that port', async () => {
    expect((await ask('/')).status).toBe(404);
    expect((await ask('/api/auth/login')).status).toBe(404);
    expect((await ask('/readyz/')).status).toBe(404);
    expect((await ask('/readyz', 'POST')).status).toBe(405);
  });

  it('says in its ready line where it listens and how long the start took', () => {
    const ready = gateway.log.find(({ message }) => message === 'ready');
    expect(ready).toMatchObject({ level: 'info', version: '0.1.0', metrics: gateway.metrics });
    expect(ready?.startMillis).toEqual(expect.any(Number));
    expect(gateway.http).toBeGreaterThan(0);
    expect(gateway.coap).toBeGreaterThan(0);
  });

  it('gives its metrics as Prometheus reads them: described families, each in one piece, with numbers', async () => {
    const { type, text } = await ask('/metrics');
    expect(type).toBe('text/plain; version=0.0.4; charset=utf-8');
    const names = [...familiesOf(text).keys()];
    expect(names).toEqual(
      expect.arrayContaining(['tandem_http_open_polls', 'tandem_coap_observations', 'process_cpu_seconds_total']),
    );
  });
});

describe.each(['the data folder', 'Redis'])('A gateway on %s whose materialiser ends', (where) => {
  let redis: RedisServer | undefined;
  afterAll(() => redis?.stop());

  it('says so and why, takes telemetry meanwhile, and is itself again when it goes on', async () => {
    redis = where === 'Redis' ? await startRedis() : undefined;
    const gateway = await GatewayProcess.start({
      NODE_OPTIONS: `--require ${join(ROOT, 'test', 'support', 'end-materialiser.cjs')}`,
      ...(redis && { REDIS_URL: redis.url }),
    });
    const server = await ServerClient.login(gateway.http);
    const id = await server.createDevice('materialised-later');
    const ready = async () => {
      const response = await fetch(`http://127.0.0.1:${gateway.metrics}/readyz`);
      return { status: response.status, text: await response.text() };
    };
    gateway.kill('SIGUSR2');
    await eventually(async () => {
      const { text } = await ready();
      return text.startsWith('ready\ndegraded: the materialiser has ended and is started again: ') ? undefined : text;
    });
    expect((await ready()).status).toBe(200);
    // Its thread has ended again at the next attempt.
    await eventually(async () =>
      (await gateway.metric('tandem_materialiser_failures')) > 1 ? undefined : 'it has failed only once',
    );
    expect((await new HttpDevice(gateway.http, 'materialised-later').post('telemetry', '{"a":1}')).status).toBe(200);
    const live = await fetch(`http://127.0.0.1:${gateway.metrics}/livez`);
    expect([live.status, await live.text()]).toEqual([200, 'alive\n']);
    gateway.kill('SIGUSR2');
    await eventually(async () => {
      const { text } = await ready();
      return text === 'ready\n' ? undefined : text;
    });
    await eventually(async () => {
      const { text } = await server.send('GET', `/api/plugins/telemetry/DEVICE/${id}/values/timeseries?keys=a`);
      return text.includes('"1"') ? undefined : text;
    });
    expect(await gateway.metric('tandem_materialiser_failures')).toBe(0);
    await gateway.stop();
  });
});

describe('A gateway that is stopping', () => {
  it('is alive but not ready, and says why', async () => {
    const gateway = await GatewayProcess.start();
    // A login whose body never ends keeps the stop waiting, for a while.
    const unfinished = connect(gateway.http, '127.0.0.1');
    unfinished.on('error', () => {});
    unfinished.write('POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n');
    unfinished.write('Content-Length: 100\r\n\r\n{');
    await once(unfinished, 'connect');
    // What came after it has been answered, so it has been taken up.
    await ServerClient.login(gateway.http);
    gateway.kill('SIGTERM');
    await gateway.logged('stopping');
    const [ready, live] = await Promise.all(
      ['readyz', 'livez'].map((path) => fetch(`http://127.0.0.1:${gateway.metrics}/${path}`)),
    );
    expect(ready?.status).toBe(503);
    expect(await ready?.text()).toBe('not ready: shutting down\n');
    expect(live?.status).toBe(200);
    expect(await gateway.exit).toEqual({ code: 0, signal: null });
    unfinished.destroy();
  });
});
