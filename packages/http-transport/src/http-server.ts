import { createServer, IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type Core, type Millis, TandemError } from '@tandem/core';
import express, { type Express } from 'express';
import type { DeviceApiHandler } from './device-api';

/** An application without what a device API has no use for: every header costs, and an ETag costs a hash as well. */
export function createApp(): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  return app;
}

/**
 * To be called when all routes are mounted: what none of them took is answered with the error JSON of contract 1.6. Express's own
 * pages would repeat the path, and with it the token.
 */
export function answerTheRest(app: Express, { clock, logger }: Pick<Core, 'clock' | 'logger'>): void {
  const send = (response: express.Response, { row, message }: TandemError) => {
    const { http: status, errorCode } = row;
    response.status(status).json({ status, message, errorCode, timestamp: clock.now() });
  };
  app.use((_request: express.Request, response: express.Response) => {
    send(response, new TandemError('NOT_FOUND', { message: 'No such endpoint' }));
  });
  app.use((thrown: unknown, _request: express.Request, response: express.Response, next: express.NextFunction) => {
    if (response.headersSent) return next(thrown);
    // Express marks what the client did wrong, such as an undecodable path.
    const status = thrown instanceof Error && 'status' in thrown ? thrown.status : undefined;
    if (status === 400) return send(response, new TandemError('BAD_REQUEST'));
    logger.error('request failed', { error: thrown instanceof Error ? thrown.stack : String(thrown) });
    send(response, new TandemError('INTERNAL'));
  });
}

export interface HttpServerOptions {
  /**
   * Sees every request before the application does. The device API stands here: going through Express's router would be
   * a quarter of what a message costs.
   */
  readonly first?: DeviceApiHandler;
  /** The line and all headers of a request: a client that takes longer holds a connection for nothing. */
  readonly headersTimeout?: Millis;
  /** The whole request. 50 MiB, the largest body by default, in that time is 1.4 Mbit/s. Waiting for the answer is not in it. */
  readonly requestTimeout?: Millis;
  /**
   * An idle connection. Longer than the 60 s after which load balancers give up theirs, so that it is they who close and
   * no request meets a closing connection; and a device that reports every minute keeps its own.
   */
  readonly keepAliveTimeout?: Millis;
}

/** How often the time limits are looked at. */
const CHECK_INTERVAL: Millis = 5_000;

/** The server is not listening yet: see `listen`. `Expect: 100-continue` is answered when somebody reads the body. */
export function createHttpServer(app: Express, options: HttpServerOptions = {}): Server {
  const server = createServer({
    ...(options.first ? {} : expressPrototypes(app)),
    headersTimeout: options.headersTimeout ?? 20_000,
    requestTimeout: options.requestTimeout ?? 300_000,
    keepAliveTimeout: options.keepAliveTimeout ?? 65_000,
    connectionsCheckingInterval: CHECK_INTERVAL,
    noDelay: true,
  });
  // A client may end its side once it has sent all of its request, and still read the answer.
  Object.assign(server, { httpAllowHalfOpen: true });
  const { first } = options;
  const serve = (request: IncomingMessage, response: ServerResponse) => {
    const rest = () => app(request as express.Request, response as express.Response);
    if (first) first(request, response, rest);
    else rest();
  };
  server.on('request', serve);
  server.on('checkContinue', (request, response) => {
    continueOnRead(request, response);
    serve(request, response);
  });
  return server;
}

/**
 * Express 5 gives every request and response another prototype, which costs 50 us on Node before 24 unless they are born
 * with it. From 24 on that trick is what costs; and it costs those 5 us a message who never get to Express (ADR 10).
 */
function expressPrototypes(app: Express): {
  IncomingMessage?: typeof IncomingMessage;
  ServerResponse?: typeof ServerResponse;
} {
  if (Number(process.versions.node.split('.')[0]) >= 24) return {};
  function Request(this: IncomingMessage, socket: Socket) {
    Reflect.apply(IncomingMessage, this, [socket]);
  }
  Request.prototype = app.request;
  function Response(this: ServerResponse, request: IncomingMessage, settings: unknown) {
    Reflect.apply(ServerResponse, this, [request, settings]);
  }
  Response.prototype = app.response;
  return {
    IncomingMessage: Request as unknown as typeof IncomingMessage,
    ServerResponse: Response as unknown as typeof ServerResponse,
  };
}

/** A client that announced a large body waits for leave: it gets it once the body is wanted, and never after a refusal. */
function continueOnRead(request: IncomingMessage, response: ServerResponse): void {
  const read = request._read;
  request._read = (size) => {
    request._read = read;
    if (!response.headersSent) response.writeContinue();
    read.call(request, size);
  };
}

/** Why a port could not be had, in one line for the one who starts the gateway. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/** Enough for all devices to come back at once; the system may cut it (net.core.somaxconn). */
const BACKLOG = 4_096;

/** @throws ListenError */
export async function listen(server: Server, { host, port }: { host: string; port: number }): Promise<AddressInfo> {
  await new Promise<void>((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => {
      reject(new ListenError(reasonOf(error, host, port), { cause: error }));
    };
    server.once('error', failed);
    server.listen({ host, port, backlog: BACKLOG }, () => {
      server.removeListener('error', failed);
      resolve();
    });
  });
  return server.address() as AddressInfo;
}

function reasonOf({ code, message }: NodeJS.ErrnoException, host: string, port: number): string {
  const place = `port ${port} (TCP) on ${host}`;
  switch (code) {
    case 'EADDRINUSE':
      return `${place} is in use by another process`;
    case 'EACCES':
      return `${place} may not be used by this user`;
    case 'EADDRNOTAVAIL':
      return `${place} cannot be had: this machine does not have the address`;
    default:
      return `${place} cannot be had: ${message}`;
  }
}
