import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Append, openLog } from './append-log';
import { serveBench } from './lifecycle';

/**
 * The least an HTTP server on this platform can cost: read the body, JSON.parse it, with a log as argument
 * append it, answer 200. No routes, no credentials, no checks.
 */
function answer(request: IncomingMessage, response: ServerResponse, append: Append | undefined): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks);
    JSON.parse(body.toString());
    if (append === undefined) {
      finish(response, 200);
    } else {
      append(body).then(
        () => finish(response, 200),
        () => finish(response, 503),
      );
    }
  });
}

function finish(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'Content-Length': 0 });
  response.end();
}

const append = openLog(process.argv.slice(2));
const server = createServer((request, response) => answer(request, response, append));
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') {
    serveBench(address.port);
  }
});
