import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  type AnsweredRequests,
  type Core,
  type Millis,
  payloadLimitOf,
  RequestMetrics,
  type RequestOperation,
  TandemError,
  tracing,
} from '@tandem/core';
import type { Request, Response } from 'express';
import type { Principal } from '../auth/principal';
import { discardBody, readBody, requireJsonType } from '../http/body';
import type { BodyReader } from '../http/body-reader';
import { CallerAddresses } from '../http/caller-address';
import { errorReply } from '../http/error-reply';
import { type FilePart, type FileReader, type TakeOptions, takeFile } from '../http/multipart';
import { pathOf } from '../http/path';
import { Query } from '../http/query';
import { callSpan } from './call-span';
import { operationOf } from './operation';
import { plainText, type Reply } from './reply';
import type { ApiRequest, GuardedRoute, PublicRequest, Route } from './route';

/** Bodies of strangers: e-mail address, password, tokens. */
const PUBLIC_BODY_MAX = 65_536;
/** Where no pattern of the setting fits the path. */
const FALLBACK_BODY_MAX = 16_777_216;
const RETRY_AFTER = 1000;

/** Runs handlers: gives them the request, writes their reply, and ends those that wait when the gateway stops. */
export class Dispatcher {
  readonly #underWay = new Map<AbortController, Promise<void>>();
  readonly #callers = new WeakMap<IncomingMessage, Principal>();
  /** What is to be answered and does not wait for its client. */
  readonly #waiting = new Map<Response, Request>();
  readonly #operations = new WeakMap<Response, RequestOperation>();
  readonly #requests: RequestMetrics;
  readonly #parameters = new WeakMap<Route, ReadonlySet<string>>();
  #closing = false;

  readonly #addresses: CallerAddresses;

  constructor(private readonly core: Core) {
    this.#addresses = new CallerAddresses(core.callers);
    this.#requests = new RequestMetrics(core.metrics, 'api');
  }

  get closing(): boolean {
    return this.#closing;
  }

  get refused(): AnsweredRequests {
    return this.#requests.of('other');
  }

  /** From now on the request is answered, at the latest when the gateway has no more time. */
  begin(request: Request, response: Response): void {
    this.#waiting.set(response, request);
    const arrivedAt = this.core.clock.monotonic();
    response.once('close', () => {
      this.#waiting.delete(response);
      if (!response.headersSent) return;
      const operation = this.#operations.get(response) ?? 'other';
      this.#requests.of(operation).answered(response.statusCode, this.core.clock.monotonic() - arrivedAt);
    });
  }

  /** Remembers who sends the request. */
  identify(request: Request, caller: Principal): void {
    this.#callers.set(request, caller);
  }

  readonly serve = async (route: Route, request: Request, response: Response): Promise<void> => {
    // The caller can have gone while the credentials were looked up: `close` would not be heard any more.
    if (response.destroyed || response.writableEnded) return;
    this.#operations.set(response, operationOf(route));
    const abort = new AbortController();
    const onClose = () => abort.abort(new TandemError('BAD_REQUEST', { message: 'The connection is closed' }));
    response.once('close', onClose);
    const answer = () => this.#answer(route, request, response, abort.signal);
    const caller = tracing.on ? this.#callers.get(request) : undefined;
    const answered = caller ? callSpan(route, request, response, this.#addresses.of(request)).run(answer) : answer();
    this.#underWay.set(abort, answered);
    try {
      await answered;
    } finally {
      this.#underWay.delete(abort);
      response.off('close', onClose);
    }
  };

  readonly refuse = (request: Request, response: Response, thrown: unknown, route?: string): void => {
    const error = asTandemError(thrown);
    error.logFault(this.core.faults, 'request of the server API failed', { method: request.method, route });
    if (response.writableEnded) return;
    if (response.headersSent) {
      // Half an answer must not look like a whole one.
      response.destroy();
      return;
    }
    this.#endConnectionWhenClosing(response);
    if (error.retryAfter !== undefined) response.setHeader('Retry-After', Math.ceil(error.retryAfter / 1000));
    if (error.correlationId !== undefined) response.setHeader('X-Correlation-Id', error.correlationId);
    if (error.row.http === 401) response.setHeader('WWW-Authenticate', 'Bearer');
    discardBody(request);
    writeHead(response, errorReply(error, this.core.clock.now()));
  };

  /**
   * Ends every waiting call with 503 and refuses new ones; from now on every answer ends its connection. Resolves when
   * all are answered but those whose clients do not end their requests.
   * @param patience how long what waits for the store may take until it is answered 503 as well
   */
  async close(patience: Millis): Promise<void> {
    this.#closing = true;
    for (const abort of this.#underWay.keys()) abort.abort(shuttingDown());
    await new Promise<void>((resolve) => {
      const late = this.core.clock.setTimer(patience, () => {
        this.#refuseTheRest();
        resolve();
      });
      Promise.allSettled(this.#underWay.values()).then(() => {
        // Who is still to be identified keeps the timer.
        if (this.#waiting.size === 0) late.cancel();
        resolve();
      });
    });
  }

  #refuseTheRest(): void {
    for (const [response, request] of [...this.#waiting]) {
      if (!response.headersSent) this.refuse(request, response, shuttingDown());
    }
  }

  /** So that the client's next request goes to a gateway that serves it. */
  #endConnectionWhenClosing(response: ServerResponse): void {
    if (this.#closing) response.setHeader('Connection', 'close');
  }

  async #answer(route: Route, request: Request, response: Response, signal: AbortSignal): Promise<void> {
    try {
      const reply = await this.#handle(route, request, response, signal);
      if (response.destroyed || response.writableEnded) return;
      this.#endConnectionWhenClosing(response);
      discardBody(request);
      if (typeof reply.body === 'object') await writePieces(response, reply, reply.body);
      else writeHead(response, reply);
    } catch (error) {
      if (!response.destroyed) this.refuse(request, response, error, route.path);
    }
  }

  /** Meanwhile it is the client that is waited for. */
  async #bodyOf(request: Request, response: Response, limit: number): Promise<Buffer> {
    this.#waiting.delete(response);
    try {
      return await readBody(request, limit);
    } finally {
      if (!response.closed) this.#waiting.set(response, request);
    }
  }

  /** As long as the body comes in it is the client that is waited for. */
  async #fileOf<T>(
    request: Request,
    response: Response,
    options: TakeOptions,
    take: (file: FilePart) => Promise<T>,
  ): Promise<T> {
    const goOn = () => {
      if (!response.closed) this.#waiting.set(response, request);
    };
    this.#waiting.delete(response);
    request.once('end', goOn);
    try {
      return await takeFile(request, options, take);
    } finally {
      request.off('end', goOn);
      goOn();
    }
  }

  #parametersOf(route: Route): ReadonlySet<string> {
    let names = this.#parameters.get(route);
    if (!names) {
      names = new Set(route.query?.map(({ name }) => name));
      this.#parameters.set(route, names);
    }
    return names;
  }

  #handle(route: Route, request: Request, response: Response, signal: AbortSignal): Promise<Reply> {
    const limit = payloadLimitOf(this.core.settings.HTTP_MAX_PAYLOAD_SIZE_LIMIT_CONFIGURATION, pathOf(request.url));
    const base: PublicRequest = {
      params: request.params as Record<string, string>,
      query: new Query(request.url, this.#parametersOf(route)),
      address: () => this.#addresses.of(request),
      origin: () => this.#addresses.originOf(request),
      signal,
      file: <T>(reader: FileReader, take: (file: FilePart) => Promise<T>) => {
        if (reader !== route.body) throw new Error('The route names another reader of the body');
        return this.#fileOf(request, response, { part: reader.part, limit: limit ?? FALLBACK_BODY_MAX, signal }, take);
      },
      header: (name) => {
        const value = request.headers[name];
        return typeof value === 'string' ? value : undefined;
      },
      body: async <T>(reader: BodyReader<T>) => {
        if (reader !== route.body) throw new Error('The route names another reader of the body');
        if (reader.media === 'json') requireJsonType(request);
        const max = limit ?? FALLBACK_BODY_MAX;
        const own = route.authorities === 'public' ? Math.min(max, PUBLIC_BODY_MAX) : max;
        return reader.read(await this.#bodyOf(request, response, own));
      },
    };
    if (route.authorities === 'public') return route.handle(base);
    const caller = this.#callers.get(request);
    if (!caller) throw new TandemError('UNAUTHORIZED');
    const refused = refusalOf(route, caller);
    if (refused) return Promise.resolve(refused);
    return route.handle(withCaller(base, caller));
  }
}

export const shuttingDown = () => new TandemError('SHUTTING_DOWN', { retryAfter: RETRY_AFTER });

const withCaller = (base: PublicRequest, caller: Principal): ApiRequest => ({ ...base, caller });

function refusalOf(route: GuardedRoute, { user: { authority }, isPublic }: Principal): Reply | undefined {
  if (route.authorities.includes(authority) && (!isPublic || route.publicToo)) return undefined;
  const denied = new TandemError('PERMISSION_DENIED');
  if (route.refusal === 'json') throw denied;
  const asSystemAdmin = 'System administrator is not allowed to perform this operation!';
  return plainText(403, authority === 'SYS_ADMIN' ? asSystemAdmin : denied.message);
}

/** Errors of express itself carry a status below 500, such as a path that is not valid percent-encoding. */
function asTandemError(thrown: unknown): TandemError {
  const status = thrown instanceof Error && 'status' in thrown ? thrown.status : undefined;
  return status === 400 ? new TandemError('BAD_REQUEST') : TandemError.from(thrown);
}

function writeHead(response: ServerResponse, reply: Reply): void {
  setHead(response, reply);
  response.end(typeof reply.body === 'string' ? reply.body : undefined);
}

function setHead(response: ServerResponse, { status, contentType, headers = {} }: Reply): void {
  response.statusCode = status;
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  if (contentType !== undefined) response.setHeader('Content-Type', contentType);
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
}

/** The head goes out with the first piece, so that what fails before it is still told by its status. */
async function writePieces(
  response: ServerResponse,
  reply: Reply,
  pieces: AsyncIterable<string | Buffer>,
): Promise<void> {
  const iterator = pieces[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (response.writableEnded) {
    await iterator.return?.();
    return;
  }
  setHead(response, reply);
  const all = async function* () {
    if (!first.done) yield first.value;
    for (let piece = await iterator.next(); !piece.done; piece = await iterator.next()) yield piece.value;
  };
  await pipeline(Readable.from(all(), { highWaterMark: 1 }), response);
}
