import { createServer, IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  type AnsweredRequests,
  type Callers,
  type Clock,
  type Core,
  MetricsRegistry,
  systemClock,
  TandemError,
} from '@tandem/core';
import express, { type Router } from 'express';
import { Connections } from './connections/connections';
import { DEFAULT_LIMITS, type HttpLimits } from './connections/http-limits';
import type { DeviceApiHandler } from './device-api';
import { answerFaults, refuse } from './requests/request-faults';
import { createSecureServer, type HttpsOptions } from './secure-server';

/**
 * The router of everything that is not the device API: Express's, without the application around it. An application gives every
 * request and response another prototype, which costs the request 50 us, and all others their inline caches (ADR 10).
 */
export function createApp(): Router {
  return express.Router({ caseSensitive: true, strict: true });
}

/** To be called before routes are mounted that count nothing themselves. @param counts whether somebody else counts what has that URL */
export function countTheRest(
  app: Router,
  clock: Clock,
  counted: AnsweredRequests,
  counts: (url: string) => boolean,
): void {
  app.use(({ url = '' }: IncomingMessage, response: ServerResponse, next: () => void) => {
    if (!counts(url)) {
      const arrivedAt = clock.monotonic();
      response.once('close', () => {
        if (response.headersSent) counted.answered(response.statusCode, clock.monotonic() - arrivedAt);
      });
    }
    next();
  });
}

/**
 * To be called when all routes are mounted: what none of them took is answered with the error JSON of contract 1.6. Express's own
 * pages would repeat the path, and with it the token.
 */
export function answerTheRest(app: Router, { clock, faults }: Pick<Core, 'clock' | 'faults'>): void {
  const send = (response: ServerResponse, { row, message, correlationId }: TandemError) => {
    const { http: status, errorCode } = row;
    const body = JSON.stringify({ status, message, errorCode, timestamp: clock.now() });
    if (correlationId !== undefined) response.setHeader('X-Correlation-Id', correlationId);
    response.writeHead(status, {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
      'X-Content-Type-Options': 'nosniff',
    });
    response.end(body);
  };
  app.use((_request: IncomingMessage, response: ServerResponse) => {
    send(response, new TandemError('NOT_FOUND', { message: 'No such endpoint' }));
  });
  app.use((thrown: unknown, _request: IncomingMessage, response: ServerResponse, _next: unknown) => {
    // Express marks what the client did wrong, such as an undecodable path.
    const clients = thrown instanceof Error && 'status' in thrown && thrown.status === 400;
    const error = clients ? new TandemError('BAD_REQUEST') : TandemError.from(thrown);
    error.logFault(faults, 'request failed');
    if (response.headersSent) response.destroy();
    else send(response, error);
  });
}

/** Of requests of HTTP/1.1 with `Upgrade: websocket` on a connection where everything before is answered. */
export interface Upgrades {
  takes(request: IncomingMessage): boolean;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

export interface HttpServerOptions {
  /**
   * Sees every request before the router does. The device API stands here: going through the router would be a quarter of
   * what a message costs.
   */
  readonly first?: DeviceApiHandler;
  /** Requests that become another protocol. Every other one that asks for that is served as if it had not. */
  readonly upgrades?: Upgrades;
  /** Without it the server speaks plain HTTP. */
  readonly tls?: HttpsOptions;
  readonly limits?: Partial<HttpLimits>;
  readonly clock?: Clock;
  readonly callers?: Pick<Callers, 'addressOf' | 'isTrusted'>;
  readonly metrics?: MetricsRegistry;
  /** What requests are counted by that are refused before anybody has looked at what they ask for. */
  readonly refused?: AnsweredRequests;
}

/** Proxies add some; a client has no use for so many. The size of all together is limited by Node (16 KiB). */
const MAX_HEADERS = 200;

/** The server is not listening yet: see `listen`. `Expect: 100-continue` is answered when somebody reads the body. */
export function createHttpServer(app: Router, options: HttpServerOptions = {}): Server {
  const { first, upgrades, clock = systemClock, callers = NO_PROXIES, metrics = new MetricsRegistry() } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const serverOptions: ServerOptions = {
    ...(upgrades && { IncomingMessage: requestThatUpgrades(upgrades, (socket) => connections.isAnswered(socket)) }),
    headersTimeout: limits.headersTimeout,
    // A body has no time but a rate, whatever its length is.
    requestTimeout: 0,
    // Node would answer by itself, and go on with what comes behind it.
    requireHostHeader: false,
    keepAliveTimeout: limits.idleTimeout,
    connectionsCheckingInterval: limits.checkInterval,
    noDelay: true,
  };
  const server = options.tls
    ? createSecureServer(serverOptions, options.tls, limits.headersTimeout, metrics)
    : createServer(serverOptions);
  const connections = new Connections(server, limits, clock, callers, metrics);
  // A client may end its side once it has sent all of its request, and still read the answer.
  Object.assign(server, { httpAllowHalfOpen: true });
  if (upgrades) {
    server.on('upgrade', (request, socket, head) => {
      connections.upgraded(request.socket);
      upgrades.upgrade(request, socket, head);
    });
  }
  const serve = (request: IncomingMessage, response: ServerResponse) => {
    if (!connections.begin(request, response)) return;
    const fault = headerFault(request);
    if (fault) {
      refuse(request, response, new TandemError(fault), clock, options.refused);
      return;
    }
    // Typed for an application's requests; the routes here use what node:http gives.
    const rest = () => app(request as express.Request, response as express.Response, () => response.destroy());
    if (first) first(request, response, rest);
    else rest();
  };
  answerFaults(server, clock, connections, options.refused);
  server.on('request', serve);
  server.on('checkContinue', (request, response) => {
    continueOnRead(request, response);
    serve(request, response);
  });
  return server;
}

type HeaderFault = 'HEADERS_TOO_LARGE' | 'MALFORMED_REQUEST' | 'UNKNOWN_TRANSFER_CODING';

/**
 * What of the headers Node lets through that is to be refused: too many, not exactly one host (RFC 9112 section 3.2), and a coding
 * under the chunks, which nobody takes off (section 6.1).
 */
function headerFault({ rawHeaders, httpVersion }: IncomingMessage): HeaderFault | undefined {
  if (rawHeaders.length > 2 * MAX_HEADERS) return 'HEADERS_TOO_LARGE';
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts++;
    else if (name?.length === 17 && name.toLowerCase() === 'transfer-encoding' && !isChunked(rawHeaders[at + 1]))
      return 'UNKNOWN_TRANSFER_CODING';
  }
  return hosts > 1 || (hosts === 0 && httpVersion === '1.1') ? 'MALFORMED_REQUEST' : undefined;
}

const isChunked = (coding: string | undefined): boolean => coding?.trim().toLowerCase() === 'chunked';

/** Where nobody says who is trusted. */
const NO_PROXIES: Pick<Callers, 'addressOf' | 'isTrusted'> = {
  addressOf: ({ remoteAddress = '' }) => remoteAddress,
  isTrusted: () => false,
};

/**
 * A server that upgrades some requests gets from Node every one that asks for it, without its body: also those of clients
 * that offer HTTP/2 with each request, as Java's do. Node asks the request whether it is to be upgraded, once its headers
 * are there.
 * @param answered whether everything on that connection has been answered
 */
function requestThatUpgrades(upgrades: Upgrades, answered: (socket: Socket) => boolean): typeof IncomingMessage {
  class Request extends IncomingMessage {
    declare upgrade: boolean;
  }
  const asked = Symbol('asked for an upgrade');
  const decided = Symbol('whether it is upgraded');
  const mayUpgrade = (request: IncomingMessage): boolean => {
    const { headers, httpVersion, socket } = request;
    if (headers.upgrade?.toLowerCase() !== 'websocket' || httpVersion !== '1.1' || !headers.host) return false;
    // What is still to be answered would be written into the other protocol.
    return answered(socket) && upgrades.takes(request);
  };
  Object.defineProperty(Request.prototype, 'upgrade', {
    get(this: IncomingMessage & { [asked]?: boolean; [decided]?: boolean }) {
      if (!this[asked]) return false;
      // Asked again later it is still what it was served as.
      this[decided] ??= mayUpgrade(this);
      return this[decided];
    },
    set(this: IncomingMessage & { [asked]?: boolean }, value: boolean) {
      if (value) this[asked] = true;
    },
  });
  return Request;
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
