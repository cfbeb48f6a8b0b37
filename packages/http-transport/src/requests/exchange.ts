import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import {
  type AnsweredRequests,
  type Callers,
  type Clock,
  ERRORS,
  type Millis,
  type PayloadFormat,
  type TandemError,
} from '@tandem/core';
import type { WaitingExchanges } from '../connections/waiting-exchanges';
import { Framing } from './framing';
import { discardable, linger } from './unread-body';

type Headers = Readonly<Record<string, string | number>>;

const EMPTY: Headers = { 'Content-Length': 0 };
const ANY_ORIGIN = { 'Access-Control-Allow-Origin': '*' };
const DEFAULT_RETRY_SECONDS = 1;

const CALLER = Symbol('caller');
type Connection = Socket & { [CALLER]?: { readonly forwardedFor: string; readonly address: string } };

/** What an answer holds. */
export interface Content {
  readonly payload: string | Buffer;
  readonly format: Pick<PayloadFormat, 'mediaType'>;
}

/** One request and the one answer it gets. */
export class Exchange {
  readonly framing: Framing;
  /** Whether the client has announced a body that has not been read to its end. */
  bodyUnread: boolean;
  readonly #arrivedAt: Millis;

  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    private readonly clock: Clock,
    private readonly waiting: WaitingExchanges,
    /** What the answer is counted by: another one as soon as it is known what is asked for. */
    public counted?: AnsweredRequests,
  ) {
    this.#arrivedAt = clock.monotonic();
    this.framing = new Framing(request);
    this.bodyUnread = this.framing.bodyAnnounced;
  }

  get answered(): boolean {
    return this.response.headersSent;
  }

  /** Whom it comes from, in a form of which nobody has many. */
  callerAddress(callers: Callers): string {
    const connection: Connection = this.request.socket;
    const forwardedFor = String(this.request.headers['x-forwarded-for'] ?? '');
    // Working it out takes microseconds, and while anybody is locked out every request is asked for it.
    if (connection[CALLER]?.forwardedFor !== forwardedFor) {
      const address = callers.addressOf({ remoteAddress: connection.remoteAddress, forwardedFor });
      connection[CALLER] = { forwardedFor, address };
    }
    return connection[CALLER].address;
  }

  /** The client has done its part: the answer depends on the gateway alone, until it is there. */
  waits(): void {
    this.waiting.add(this);
  }

  /** It depends on the client again. */
  waitsNoMore(): void {
    this.waiting.delete(this);
  }

  /** The client shall send no further request on this connection. */
  closeConnection(): void {
    this.response.shouldKeepAlive = false;
  }

  /** 200 without a body and without a content type (contract 1.3). */
  done(): void {
    this.#send(200, EMPTY);
  }

  /** 200 with what the domain has to say, in the format that was asked for. */
  content({ payload, format }: Content): void {
    const headers = {
      'Content-Type': format.mediaType,
      'Content-Length': Buffer.byteLength(payload),
      Vary: 'Accept',
    };
    this.#send(200, headers, payload);
  }

  /** The head alone: of an answer to HEAD, or of one without a body. */
  head(status: number, headers: Headers): void {
    this.#send(status, headers);
  }

  /** The head of an answer whose body the caller writes, to its end. */
  begin(status: number, headers: Headers): ServerResponse {
    const { request, response } = this;
    this.waitsNoMore();
    if (this.bodyUnread && !discardable(request, this.framing)) this.closeConnection();
    response.writeHead(status, this.#withOrigin(headers));
    this.#count(status);
    return response;
  }

  /** Contract 1.6: which failures have a body, and of which form. */
  fail(error: TandemError, headers: Headers = {}): void {
    const { http: status, errorCode } = error.row;
    switch (error.code) {
      case 'UNAUTHORIZED':
      case 'POLL_EXPIRED':
      case 'NO_REPLY':
      case 'NO_PACKAGE':
      case 'OTHER_PACKAGE':
        this.#send(status, EMPTY);
        return;
      case 'DEVICE_DELETED':
        this.#text(status, 'text/plain;charset=UTF-8', ERRORS.DEVICE_DELETED.sentence, headers);
        return;
      case 'PAYLOAD_TOO_LARGE':
        // A JSON string, not an object (contract 1.7).
        this.#text(status, 'application/json', JSON.stringify(error.message), headers);
        return;
      default: {
        const body = { status, message: error.message, errorCode, timestamp: this.clock.now() };
        this.#text(status, 'application/json', JSON.stringify(body), {
          ...headers,
          ...retryAfter(error),
          ...correlation(error),
        });
      }
    }
  }

  /** Every origin, method and header is allowed (contract 1.1). A wildcard would not cover `Authorization`. */
  allowPreflight(): void {
    const { 'access-control-request-method': method, 'access-control-request-headers': headers } = this.request.headers;
    this.#send(204, {
      'Access-Control-Allow-Methods': method ?? '*',
      ...(headers ? { 'Access-Control-Allow-Headers': headers } : {}),
      'Access-Control-Max-Age': 1800,
    });
  }

  /** 204 to OPTIONS. */
  allow(methods: string): void {
    this.#send(204, { Allow: methods });
  }

  #text(status: number, type: string, text: string, headers: Headers): void {
    this.#send(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text), ...headers }, text);
  }

  #send(status: number, headers: Headers, text?: string | Buffer): void {
    const { request, response } = this;
    this.waiting.delete(this);
    if (response.headersSent) return;
    const lingering = this.bodyUnread && !discardable(request, this.framing);
    // Told to the client before its unread bytes are thrown away.
    if (lingering) this.closeConnection();
    response.writeHead(status, this.#withOrigin(headers));
    this.#count(status);
    if (!lingering) {
      response.end(text);
      return;
    }
    if (text === undefined) response.flushHeaders();
    else response.write(text);
    linger(request, response, this.clock);
  }

  #count(status: number): void {
    this.counted?.answered(status, this.clock.monotonic() - this.#arrivedAt);
  }

  #withOrigin(headers: Headers): Headers {
    return this.framing.hasOrigin ? { ...headers, ...ANY_ORIGIN } : headers;
  }
}

function retryAfter({ retryAfter: delay, row }: TandemError): Headers {
  if (!row.retryable || (row.http !== 429 && row.http !== 503)) return {};
  const seconds = delay === undefined ? DEFAULT_RETRY_SECONDS : Math.max(Math.ceil(delay / 1000), 1);
  return { 'Retry-After': seconds };
}

const correlation = ({ correlationId }: TandemError): Headers =>
  correlationId === undefined ? {} : { 'X-Correlation-Id': correlationId };
