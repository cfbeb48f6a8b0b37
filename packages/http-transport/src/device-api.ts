import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type AnsweredRequests,
  type Core,
  type Counter,
  type DeviceSession,
  type DownloadRequest,
  inThisTrace,
  type Millis,
  type PayloadKind,
  type PayloadLimit,
  payloadLimitOf,
  RequestMetrics,
  saysProtobuf,
  TandemError,
  type Timer,
  tracing,
  written,
} from '@tandem/core';
import { Callers, tokenOf } from './callers';
import type { ClientCertificates } from './client-certificates';
import { WaitingExchanges } from './connections/waiting-exchanges';
import { FirmwareDownload } from './firmware-download';
import { RequestFormats } from './formats/request-formats';
import { HeldRequests } from './polls/held-requests';
import { Polls } from './polls/polls';
import { provision } from './provisioning/provisioning';
import { Exchange } from './requests/exchange';
import { attributesRequest, bearerToken, downloadRequest, pollTimeout, requestIdOf } from './requests/parameters';
import { readBody } from './requests/request-body';
import { requestSpan } from './requests/request-span';
import { isProvision, limitedPaths, type Operation, type OperationName, type Route, routeOf } from './routes';

/** `originalUrl` is there where express has cut the mount path off `url`. */
export type DeviceApiHandler = (
  request: IncomingMessage & { readonly originalUrl?: string },
  response: ServerResponse,
  next: () => void,
) => void;

export interface DeviceApi {
  /**
   * Answers every request under `/api/v1` and passes all others on. To be mounted at the root, before anything that
   * reads bodies; mounting at `/api/v1` works as well.
   */
  readonly middleware: DeviceApiHandler;
  /** What requests are counted by that are refused before they come here. */
  readonly refused: AnsweredRequests;
  /**
   * Answers every open poll and waiting command 503 + Retry-After at once and takes no more. The rest goes on, and what
   * then still waits for the store is answered so as well; nothing is taken after that.
   * @param patience how long the rest may take
   */
  close(patience: Millis): void;
}

/** @param certificates those of clients, where they stand for devices */
export const createDeviceApi = (core: Core, certificates?: ClientCertificates): DeviceApi =>
  new HttpDeviceApi(core, certificates);

/** A request whose parameters are in order, and what they say. */
interface Call {
  readonly exchange: Exchange;
  readonly operation: Operation;
  readonly route: Route;
  /** Of a poll; below 0 is "at once". */
  readonly timeout: Millis;
  /** Of the RPC that is replied to. */
  readonly requestId: number;
  /** Of firmware or software. */
  readonly download: DownloadRequest | undefined;
}

/** The device API over HTTP (contract section 1): each request becomes one call of the domain. */
class HttpDeviceApi implements DeviceApi {
  readonly refused: AnsweredRequests;
  readonly #held: HeldRequests;
  readonly #polls: Polls;
  readonly #callers: Callers;
  readonly #formats: RequestFormats;
  readonly #received: Readonly<Record<OperationName, Counter>>;
  readonly #requests: RequestMetrics;
  readonly #limits: readonly PayloadLimit[];
  /** Bodies up to here need no look at the patterns. */
  readonly #smallestLimit: number;
  /** Requests that wait for the store. */
  readonly #waiting = new WaitingExchanges();
  readonly #firmware: FirmwareDownload;
  #closing = false;
  #patience: Timer | undefined;
  #closed = false;

  constructor(
    private readonly core: Core,
    certificates: ClientCertificates | undefined,
  ) {
    const { settings, metrics, formats } = core;
    this.#callers = new Callers(core, certificates);
    this.#formats = new RequestFormats(formats);
    this.#held = new HeldRequests(settings, core.clock, metrics);
    core.waiters.add(() => this.#held.waiters());
    this.#polls = new Polls(core, this.#held, this.#formats, (exchange, operation, error) =>
      this.#fail(exchange, operation, error),
    );
    this.#limits = settings.HTTP_TRANSPORT_MAX_PAYLOAD_SIZE_LIMIT_CONFIGURATION;
    this.#smallestLimit = Math.min(settings.TANDEM_PROVISION_MAX_BYTES, ...this.#limits.map(({ bytes }) => bytes));
    this.#firmware = new FirmwareDownload(core);
    this.#received = metrics.counters('tandem_http_received_requests_total', 'operation');
    this.#requests = new RequestMetrics(metrics, 'http');
    this.refused = this.#requests.of('other');
  }

  readonly middleware: DeviceApiHandler = (request, response, next) => {
    const route = routeOf(request.originalUrl ?? request.url ?? '');
    if (!route) {
      next();
      return;
    }
    const exchange = new Exchange(request, response, this.core.clock, this.#waiting, this.refused);
    if (this.#closing) exchange.closeConnection();
    try {
      if (this.#closed) throw new TandemError('SHUTTING_DOWN');
      this.#check(exchange, route);
    } catch (error) {
      this.#fail(exchange, undefined, error);
    }
  };

  close(patience: Millis): void {
    this.#closing = true;
    this.#patience?.cancel();
    this.#patience = this.core.clock.setTimer(patience, () => this.#refuseTheRest());
    this.#held.refuseAll();
  }

  /** Whether the store has taken what they brought nobody knows: as with a store that does not answer in time. */
  #refuseTheRest(): void {
    this.#closed = true;
    for (const exchange of [...this.#waiting]) {
      exchange.closeConnection();
      exchange.fail(new TandemError('SHUTTING_DOWN'));
    }
  }

  /** Contract 1.4, steps 1 to 5. */
  #check(exchange: Exchange, route: Route): void {
    const { request } = exchange;
    const method = request.method ?? '';
    const { length = 0 } = exchange.framing;
    if (length > this.#smallestLimit) {
      const limit = this.#limitOf(exchange, route);
      if (length > limit) throw tooLarge(limit);
    }
    if (method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined) {
      exchange.allowPreflight();
      return;
    }
    const { resource } = route;
    if (!resource) {
      throw new TandemError('NOT_FOUND', { message: 'No such endpoint' });
    }
    const operation = resource.methods[method];
    if (!operation) {
      if (method === 'OPTIONS') exchange.allow(resource.allow);
      else exchange.fail(methodNotAllowed(method), { Allow: resource.allow });
      return;
    }
    this.#received[operation.name].add();
    exchange.counted = this.#requests.of(operation.name);
    const call: Call = {
      exchange,
      operation,
      route,
      timeout: this.#timeoutOf(operation, route),
      requestId: operation.name === 'rpc_reply' ? requestIdOf(route.rest.slice('rpc/'.length)) : 0,
      download: isDownload(operation) ? downloadRequest(route.query) : undefined,
    };
    if (operation.body === 'required' && !exchange.bodyUnread && !mayBeEmpty(operation, exchange)) {
      throw new TandemError('BODY_REQUIRED');
    }
    this.#callers.admit(exchange);
    if (operation.name === 'provision') {
      this.#read(call, undefined, (body) => {
        provision(this.core, exchange, body).then(
          (answer) => exchange.content(answer),
          (error) => this.#fail(exchange, operation, error),
        );
      });
      return;
    }
    const token = tokenOf(exchange, route);
    const session = this.#callers.cached(exchange, route, token);
    if (session) this.#accept(call, session);
    else this.#lookUp(call, this.#callers.find(exchange, route, token));
  }

  #lookUp(call: Call, found: Promise<DeviceSession>): void {
    const { exchange, operation } = call;
    exchange.waits();
    found.then(
      (session) => {
        if (exchange.answered) return;
        exchange.waitsNoMore();
        this.#accept(call, session);
      },
      (error) => this.#fail(exchange, operation, error),
    );
  }

  #timeoutOf({ name }: Operation, { query }: Route): Millis {
    if (name !== 'rpc_poll' && name !== 'attributes_poll') return 0;
    const { HTTP_REQUEST_TIMEOUT, HTTP_MAX_REQUEST_TIMEOUT } = this.core.settings;
    return pollTimeout(query, { default: HTTP_REQUEST_TIMEOUT, max: HTTP_MAX_REQUEST_TIMEOUT });
  }

  #accept(call: Call, session: DeviceSession): void {
    if (tracing.on) requestSpan(call, session, this.core.callers).run(() => this.#serve(call, session));
    else this.#serve(call, session);
  }

  /** The caller is known: only now its body is read. */
  #serve(call: Call, session: DeviceSession): void {
    const { exchange, operation, route } = call;
    this.core.connectivity.seen(session.deviceId);
    try {
      if (operation.body !== 'none') {
        const kind = KINDS[operation.name] ?? 'command';
        const inJson = this.#formats.isJson(exchange.framing, session, kind);
        this.#read(call, inJson ? undefined : this.core.settings.TANDEM_FORMAT_MAX_BYTES, (body) => {
          if (body.length === 0 && operation.body === 'required' && !this.#isEmptyMessage(call, session)) {
            this.#fail(exchange, operation, new TandemError('BODY_REQUIRED'));
          } else if (operation.name === 'telemetry') this.#postTelemetry(call, session, body);
          else this.#perform(call, session, body).catch((error) => this.#fail(exchange, operation, error));
        });
      } else if (operation.name === 'attributes_read') {
        this.#readAttributes(exchange, operation, session, route.query);
      } else if (call.download) {
        this.#download(call, session, call.download);
      } else {
        if (this.#closing && call.timeout >= 0) throw new TandemError('SHUTTING_DOWN');
        this.#polls.open(call, session);
      }
    } catch (error) {
      this.#fail(exchange, operation, error);
    }
  }

  #isEmptyMessage({ exchange, operation }: Call, session: DeviceSession): boolean {
    return mayBeEmpty(operation, exchange) && this.#formats.isProtobuf(exchange.framing, session);
  }

  /** @param formatLimit bytes that a body in its format may have, where that is fewer than others may */
  #read({ exchange, operation, route }: Call, formatLimit = Infinity, complete: (body: Buffer) => void): void {
    const { request } = exchange;
    if ((exchange.framing.length ?? 0) > formatLimit) throw tooLarge(formatLimit);
    if (exchange.framing.encoded)
      throw new TandemError('UNSUPPORTED_MEDIA_TYPE', { message: 'Content-Encoding is not supported' });
    const limit =
      exchange.framing.length === undefined
        ? Math.min(this.#limitOf(exchange, route), formatLimit)
        : Number.POSITIVE_INFINITY;
    readBody(
      request,
      limit,
      inThisTrace((body: Buffer) => {
        exchange.bodyUnread = false;
        // It was refused while it came.
        if (exchange.answered) return;
        if (this.#closed) {
          exchange.closeConnection();
          exchange.fail(new TandemError('SHUTTING_DOWN'));
          return;
        }
        exchange.waits();
        complete(body);
      }),
      () => this.#fail(exchange, operation, tooLarge(limit)),
    );
  }

  /** The most frequent request by far: no more promises than it needs. */
  #postTelemetry({ exchange, operation }: Call, session: DeviceSession, body: Buffer): void {
    try {
      const { telemetry } = this.core;
      const format = this.#formats.ofBody(exchange.framing, session, 'telemetry');
      const stored =
        format instanceof Promise
          ? format.then((found) => telemetry.post(session, body, found))
          : telemetry.post(session, body, format);
      stored.then(
        () => exchange.done(),
        (error) => this.#fail(exchange, operation, error),
      );
    } catch (error) {
      this.#fail(exchange, operation, error);
    }
  }

  async #perform(call: Call, session: DeviceSession, body: Buffer): Promise<void> {
    const { exchange, operation, requestId } = call;
    const bodyIn = (kind: PayloadKind) => this.#formats.ofBody(exchange.framing, session, kind);
    switch (operation.name) {
      case 'claim':
        await this.core.claiming.register(session, (await bodyIn('claim')).readClaim(body));
        break;
      case 'attributes_write':
        await this.core.attributes.postClient(session, body, await bodyIn('attributes'));
        break;
      case 'rpc_reply':
        await this.core.rpcCalls.reply(session, requestId, body, 'any', await bodyIn('reply'));
        break;
      default:
        await this.#callServer(exchange, session, body);
        return;
    }
    exchange.done();
  }

  async #readAttributes(
    exchange: Exchange,
    operation: Operation,
    session: DeviceSession,
    query: string,
  ): Promise<void> {
    exchange.waits();
    try {
      const attributes = await this.core.attributes.readForDevice(session, attributesRequest(query));
      const format = await this.#formats.ofAnswer(exchange.framing, session, 'attributes');
      exchange.content(written(format, { kind: 'attributes', ...attributes }));
    } catch (error) {
      this.#fail(exchange, operation, error);
    }
  }

  async #download({ exchange, operation }: Call, session: DeviceSession, asked: DownloadRequest): Promise<void> {
    try {
      if (this.#closing) throw new TandemError('SHUTTING_DOWN');
      const type = operation.name === 'firmware' ? 'FIRMWARE' : 'SOFTWARE';
      await this.#firmware.serve(exchange, session, type, asked);
    } catch (error) {
      this.#fail(exchange, operation, error);
    }
  }

  async #callServer(exchange: Exchange, session: DeviceSession, body: Buffer): Promise<void> {
    if (this.#closing) throw new TandemError('SHUTTING_DOWN');
    const caller = new AbortController();
    const held = this.#held.command(exchange, session);
    exchange.waitsNoMore();
    held.waitFor({ cancel: () => caller.abort() });
    try {
      const { framing } = exchange;
      const format = await this.#formats.ofBody(framing, session, 'command');
      const options = { paramsRequired: true, caller: caller.signal, format };
      const json = await this.core.clientRpc.call(session, body, options);
      const answer = await this.#formats.ofAnswer(framing, session, 'reply', format);
      // Before it is released: what fails here is answered as well.
      const content = written(answer, { kind: 'reply', json });
      if (held.release()) exchange.content(content);
    } catch (error) {
      if (held.release()) throw error;
    }
  }

  #limitOf({ request }: Exchange, route: Route): number {
    const paths = limitedPaths(route, () => bearerToken(request.headers.authorization));
    const limit = payloadLimitOf(this.#limits, ...paths) ?? Number.POSITIVE_INFINITY;
    return isProvision(route) ? Math.min(limit, this.core.settings.TANDEM_PROVISION_MAX_BYTES) : limit;
  }

  #fail(exchange: Exchange, operation: Operation | undefined, thrown: unknown): void {
    const error = TandemError.from(thrown);
    error.logFault(this.core.faults, 'request failed', { operation: operation?.name });
    exchange.fail(error);
  }
}

/** What bodies are about. */
const KINDS: Partial<Record<OperationName, PayloadKind>> = {
  telemetry: 'telemetry',
  attributes_write: 'attributes',
  claim: 'claim',
  rpc_reply: 'reply',
};

/** A message of protobuf may have no bytes: whether it is one is up to the profile, and known with the token. */
const mayBeEmpty = ({ name }: Operation, { framing }: Exchange): boolean =>
  (name === 'telemetry' || name === 'attributes_write') && saysProtobuf(framing.contentType);

const isDownload = ({ name }: Operation): boolean => name === 'firmware' || name === 'software';

const tooLarge = (limit: number): TandemError =>
  new TandemError('PAYLOAD_TOO_LARGE', { message: `Payload size exceeds the limit of ${limit} bytes` });

const methodNotAllowed = (method: string): TandemError =>
  new TandemError('METHOD_NOT_ALLOWED', { message: `Request method '${method}' is not supported` });
