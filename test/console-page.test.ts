import { posix } from 'node:path';
import { cleanUp, GatewayProcess } from './support/gateway-process';

/** What a phone on a slow link has to load before somebody sees something, unpacked. */
const WEIGHT_MAX = 150_000;

let gateway: GatewayProcess;
beforeAll(async () => {
  gateway = await GatewayProcess.start();
});
afterAll(cleanUp);

const ask = (path: string, options: RequestInit = {}) => fetch(`http://127.0.0.1:${gateway.http}${path}`, options);

it('The console is at /, may load nothing from elsewhere, and needs no login to be loaded', async () => {
  const page = await ask('/');
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  expect(page.headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; script-src 'self'; style-src 'self';/,
  );
  expect(page.headers.get('content-security-policy')).not.toContain('unsafe');
});

it('Everything that the page loads is there, in less than 150 kB', async () => {
  const wanted = ['/'];
  const weights = new Map<string, number>();
  for (let path = wanted.pop(); path !== undefined; path = wanted.pop()) {
    if (weights.has(path)) continue;
    const answer = await ask(path);
    expect([path, answer.status]).toEqual([path, 200]);
    const text = await answer.text();
    weights.set(path, Buffer.byteLength(text));
    const links = path === '/' ? /(?:src|href)="([^"]+)"/g : /(?:from|import) ?'(\.[^']+)'/g;
    for (const [, to = ''] of text.matchAll(links)) wanted.push(posix.resolve(posix.dirname(path), to));
  }
  expect([...weights.keys()]).toEqual(expect.arrayContaining(['/console/main.js', '/console/device/device-view.js']));
  expect([...weights.values()].reduce((sum, weight) => sum + weight, 0)).toBeLessThan(WEIGHT_MAX);
});

it('A browser that has a file is told that it is the same', async () => {
  const etag = (await ask('/')).headers.get('etag') ?? '';
  expect((await ask('/', { headers: { 'If-None-Match': etag } })).status).toBe(304);
});

it.each([
  ['GET', '/nothing', 404],
  ['POST', '/', 404],
  ['GET', '/console/', 404],
  ['GET', '/console/main.d.ts', 404],
  ['GET', '/api/auth/user', 401],
  ['GET', '/api/v1/no-such-token/attributes', 401],
])('%s %s is answered as if there was no console: %i', async (method, path, status) => {
  const answer = await ask(path, { method });
  expect([answer.status, answer.headers.get('content-security-policy')]).toEqual([status, null]);
});
