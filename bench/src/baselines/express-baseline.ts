import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import express from 'express';
import { serveBench } from './lifecycle';

/**
 * What Express itself costs: one route that sends a body of the gateway's as it stands, with Express' own settings and
 * without credentials, a query or a store.
 */
const [file = ''] = process.argv.slice(2);
const body = readFileSync(path.resolve(file), 'utf8');

const app = express();
app.get('/', (_request, response) => {
  response.type('json').send(body);
});
const server = createServer(app);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') {
    serveBench(address.port);
  }
});
