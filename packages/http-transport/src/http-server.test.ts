import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { createApp, createHttpServer, ListenError, listen } from './http-server';

const HERE = { host: '127.0.0.1', port: 0 };

it('serves an express application with all that its requests and responses can do', async () => {
  const app = createApp();
  app.use(express.json());
  app.post('/echo', (request, response) => {
    response.status(201).json({ path: request.path, query: request.query, body: request.body });
  });
  const server = createHttpServer(app);
  const { port } = await listen(server, HERE);
  const answer = await fetch(`http://127.0.0.1:${port}/echo?a=1`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '{"b":2}',
  });
  expect(answer.status).toBe(201);
  expect(answer.headers.get('x-powered-by')).toBeNull();
  expect(answer.headers.get('etag')).toBeNull();
  expect(await answer.json()).toEqual({ path: '/echo', query: { a: '1' }, body: { b: 2 } });
  server.close();
  server.closeAllConnections();
});

it('gives requests the prototypes of the application from the start on old Node versions', async () => {
  const app = createApp();
  const born: boolean[] = [];
  const server = createHttpServer(app);
  server.prependListener('request', (request, response) => {
    born.push(Object.getPrototypeOf(request) === app.request && Object.getPrototypeOf(response) === app.response);
  });
  const { port } = await listen(server, HERE);
  await fetch(`http://127.0.0.1:${port}/`);
  expect(born).toEqual([Number(process.versions.node.split('.')[0]) < 24]);
  server.close();
  server.closeAllConnections();
});

it('says in one line which port is in use', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const failure = await listen(createHttpServer(createApp()), { host: '127.0.0.1', port }).catch((error) => error);
  expect(failure).toBeInstanceOf(ListenError);
  expect(failure.message).toBe(`port ${port} (TCP) on 127.0.0.1 is in use by another process`);
  other.close();
});

it('says in one line that the machine does not have an address', async () => {
  const failure = await listen(createHttpServer(createApp()), { host: '192.0.2.1', port: 0 }).catch((error) => error);
  expect(failure).toBeInstanceOf(ListenError);
  expect(failure.message).toMatch(/^port 0 \(TCP\) on 192\.0\.2\.1 cannot be had[^\n]*$/);
});
