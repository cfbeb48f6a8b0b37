import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { pageFiles } from './page-files';

const PAGE = { path: '/', type: 'text/html; charset=utf-8', body: Buffer.from('<!doctype html><title>short</title>') };
const SCRIPT = {
  path: '/console/main.js',
  type: 'text/javascript; charset=utf-8',
  body: Buffer.from('x();'.repeat(500)),
};

let server: Server;
beforeAll(async () => {
  const serve = pageFiles([PAGE, SCRIPT]);
  server = createServer((asked, response) => serve(asked, response, () => response.writeHead(418).end()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** The answer as it is on the wire: `fetch` asks for packed bodies by itself, and unpacks them. */
async function ask(path: string, headers: Record<string, string> = {}, method = 'GET') {
  const { port } = server.address() as AddressInfo;
  const answer = await new Promise<IncomingMessage>((resolve, reject) =>
    request({ port, path, method, headers, agent: false }, resolve).on('error', reject).end(),
  );
  const pieces: Buffer[] = [];
  for await (const piece of answer) pieces.push(piece);
  return { status: answer.statusCode, headers: answer.headers, body: Buffer.concat(pieces) };
}

it('A file is served as what it is, to be asked for again each time, with what it may do', async () => {
  const { status, headers, body } = await ask('/');
  expect([status, body.toString()]).toEqual([200, PAGE.body.toString()]);
  expect(headers).toMatchObject({
    'content-type': PAGE.type,
    'content-length': String(PAGE.body.length),
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
    'content-security-policy': expect.stringMatching(/^default-src 'none'; script-src 'self'; /),
  });
});

it('A query behind the path changes nothing', async () => {
  expect((await ask('/?from=mail')).status).toBe(200);
});

it('Who has the file is told so, and gets it again when it is another one', async () => {
  const { headers } = await ask('/console/main.js');
  const etag = String(headers.etag);
  for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const again = await ask('/console/main.js', { 'If-None-Match': known });
    expect([known, again.status, again.body.length, again.headers.etag]).toEqual([known, 304, 0, etag]);
  }
  expect((await ask('/console/main.js', { 'If-None-Match': '"other"' })).status).toBe(200);
});

it('HEAD answers as GET does, without the body', async () => {
  const { status, headers, body } = await ask('/console/main.js', {}, 'HEAD');
  expect([status, headers['content-length'], body.length]).toEqual([200, String(SCRIPT.body.length), 0]);
});

it.each(['gzip', 'br, gzip;q=0.5', 'deflate,gzip', 'GZIP'])(
  '%s is answered packed, under an ETag of its own',
  async (asked) => {
    const { headers, body } = await ask('/console/main.js', { 'Accept-Encoding': asked });
    expect(headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
    expect(gunzipSync(body)).toEqual(SCRIPT.body);
    expect(body.length).toBeLessThan(SCRIPT.body.length / 2);
    expect(headers.etag).not.toBe((await ask('/console/main.js')).headers.etag);
  },
);

it.each(['gzip;q=0', 'gzip; q=0.0, br', 'x-gzip-like', 'identity', ''])('"%s" is answered as it is', async (asked) => {
  const { headers, body } = await ask('/console/main.js', { 'Accept-Encoding': asked });
  expect([headers['content-encoding'], headers.vary]).toEqual([undefined, 'Accept-Encoding']);
  expect(body).toEqual(SCRIPT.body);
});

it.each([
  ['GET', '/console/'],
  ['GET', '/console'],
  ['GET', '/console/MAIN.js'],
  ['GET', '//'],
  ['GET', '/console/../console/main.js'],
  ['GET', '/constructor'],
  ['POST', '/'],
  ['OPTIONS', '/'],
])('%s %s is left to others', async (method, path) => {
  expect((await ask(path, {}, method)).status).toBe(418);
});
