import { once } from 'node:events';
import { connect } from 'node:net';
import { familiesOf } from './support/exposition';
import { cleanUp, GatewayProcess } from './support/gateway-process';
import { ServerClient } from './support/server-client';

afterAll(cleanUp);

describe('A gateway that has started', () => {
  let gateway: GatewayProcess;
  beforeAll(async () => {
    gateway = await GatewayProcess.start();
  });

  const ask = async (path: string, method = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${gateway.metrics}${path}`, { method });
    return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
  };

  it('is ready and alive', async () => {
    expect(await ask('/readyz')).toMatchObject({ status: 200, text: 'ready\n' });
    expect(await ask('/livez')).toMatchObject({ status: 200, text: 'alive\n' });
    expect(await ask('/readyz?verbose')).toMatchObject({ status: 200 });
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
