import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SETTINGS } from '@tandem/core';
import { askReady, readyUrl } from './health-check';

describe('The health check', () => {
  let server: Server;
  let answer: { status: number; body: string } | undefined;
  let url: string;
  beforeAll(async () => {
    server = createServer((_request, response) => {
      if (answer) response.writeHead(answer.status).end(answer.body);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/readyz`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('is good when the gateway is ready', async () => {
    answer = { status: 200, body: 'ready\n' };
    expect(await askReady(url)).toEqual({ ready: true, text: 'ready' });
  });

  it('is bad when it is not, and says in one line what is missing', async () => {
    answer = { status: 503, body: 'not ready: api is starting\nnot ready: the store does not answer\n' };
    expect(await askReady(url)).toEqual({
      ready: false,
      text: 'not ready: api is starting; not ready: the store does not answer',
    });
  });

  it('is bad when something else answers there', async () => {
    answer = { status: 404, body: '' };
    expect(await askReady(url)).toEqual({ ready: false, text: 'status 404' });
    answer = { status: 500, body: 'x'.repeat(100_000) };
    expect((await askReady(url)).text).toHaveLength(500);
  });

  it('is bad when nobody answers in time', async () => {
    answer = undefined;
    expect(await askReady(url, 50)).toEqual({ ready: false, text: `${url}: no answer in 50 ms` });
  });

  it('is bad when nobody is there, or it was given no address', async () => {
    expect(await askReady('http://127.0.0.1:1/readyz')).toMatchObject({ ready: false });
    expect(await askReady('readyz')).toEqual({ ready: false, text: 'readyz is not a URL' });
    expect(await askReady('file:///readyz')).toMatchObject({ ready: false });
  });

  it('asks where the settings say that the gateway listens', () => {
    expect(readyUrl({})).toBe(`http://127.0.0.1:${SETTINGS.TANDEM_METRICS_PORT.default}/readyz`);
    expect(SETTINGS.TANDEM_METRICS_ADDRESS.default).toBe('0.0.0.0');
    expect(readyUrl({ TANDEM_METRICS_PORT: '9102', TANDEM_METRICS_ADDRESS: '10.0.0.7' })).toBe(
      'http://10.0.0.7:9102/readyz',
    );
    expect(readyUrl({ TANDEM_METRICS_PORT: '', TANDEM_METRICS_ADDRESS: '::' })).toBe('http://[::1]:9090/readyz');
  });
});
