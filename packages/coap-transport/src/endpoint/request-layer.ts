import { type Logger, type Millis, TandemError } from '@tandem/core';
import { blockExponent, blockNumber, blockSize, MAX_EXPONENT } from './block-option';
import { BlockAssembly } from './block1-assembly';
import type { BlockBodies } from './block2-bodies';
import { ACK, CON, codeByte, NON } from './codes';
import type { Deduplication } from './deduplication';
import { encodeMessage, type OutgoingMessage, stampMessageId } from './encoder';
import type { EndpointMetrics } from './endpoint-metrics';
import { delist, Exchange, type ExchangeLayer, enlist, findRunning, tokenHash } from './exchange';
import { emptyMessage, Frame } from './guard';
import type { ObserveLayer } from './observe';
import { PeerState } from './peer';
import type { Relation } from './relation';
import type { Reliability, TransmissionOwner } from './reliability';
import { type CoapRequest, IncomingRequest, type RequestFault, readRequest, transferKey } from './request';
import { type CoapResponse, EMPTY, errorResponse, payloadBytes } from './response';
import type { EndpointSettings } from './settings';
import type { TimerWheel } from './timer-wheel';

/** Undefined: the sender has a right to send this. */
export type Admission = (request: CoapRequest) => CoapResponse | undefined | Promise<CoapResponse | undefined>;

export type RequestHandler = (request: CoapRequest) => CoapResponse | Promise<CoapResponse>;

export interface RequestPorts {
  readonly wheel: TimerWheel;
  readonly reliability: Reliability;
  readonly deduplication: Deduplication;
  readonly observe: ObserveLayer;
  readonly bodies: BlockBodies;
  readonly metrics: EndpointMetrics;
  readonly logger: Logger;
  /** 32 random bits. */
  readonly seed: number;
  now(): Millis;
  send(datagram: Buffer, peer: PeerState): void;
  /** Whether a kept body may still be shown to the sender of this request. */
  mayContinue(request: CoapRequest): boolean;
  readonly admit: Admission;
  /** Whether a stranger at this address gets one more answer; one that does not is counted. */
  mayReply(address: string): boolean;
}

/** Exchanges kept for use by later requests. */
const MAX_POOL = 1024;

const FAULTS: Readonly<Record<RequestFault, CoapResponse>> = {
  bad_option: { code: '4.02' },
  proxying: { code: '5.05' },
  method: { code: '4.05' },
  bad_block: { code: '4.00' },
};
/** How many times longer than its request an answer to a stranger may be (RFC 7252 section 11.3). */
const AMPLIFICATION = 3;
const UNAUTHORIZED = codeByte('4.01');
const MALFORMED: CoapResponse = { code: '4.00' };
const CONTINUE: CoapResponse = { code: '2.31' };
const INCOMPLETE: CoapResponse = { code: '4.08' };
const TOO_LARGE: CoapResponse = { code: '4.13' };
const DEREGISTERED: CoapResponse = { code: '2.02' };
const INTERNAL: CoapResponse = { code: '5.00' };
const TIMED_OUT: CoapResponse = { code: '5.04' };
/** Seconds in which a busy or closing endpoint is likely to serve again. */
const OVERLOADED: CoapResponse = { code: '5.03', maxAge: 5 };

/**
 * Requests from the guard to the response on the socket: deduplication (RFC 7252 section 4.5), block-wise bodies
 * (RFC 7959), the handler, and piggybacked or separate responses (RFC 7252 section 5.2).
 */
export class RequestLayer implements ExchangeLayer {
  readonly #settings: EndpointSettings;
  readonly #ports: RequestPorts;
  readonly #handler: RequestHandler;
  readonly #uploads: BlockAssembly;
  readonly #pool: Exchange[] = [];
  readonly #running = new Set<Exchange>();
  /** Takes the place of the request in an exchange of the pool, which must not keep a body alive. */
  readonly #noRequest: IncomingRequest;
  #closing = false;

  constructor(settings: EndpointSettings, handler: RequestHandler, ports: RequestPorts) {
    this.#settings = settings;
    this.#handler = handler;
    this.#ports = ports;
    this.#uploads = new BlockAssembly(settings, ports.wheel);
    this.#noRequest = new IncomingRequest(new PeerState('', '', 0, undefined, 0), EMPTY, new Frame());
  }

  get runningCount(): number {
    return this.#running.size;
  }

  get uploadBytes(): number {
    return this.#uploads.bytes;
  }

  /** A request whose frame is sound. */
  receive(peer: PeerState, datagram: Buffer, frame: Frame): void {
    const { deduplication, metrics, now, seed } = this.#ports;
    const hash = tokenHash(datagram, frame.tokenLength, seed);
    if (peer.running !== undefined) {
      const running = findRunning(peer, frame.messageId, hash);
      if (running !== undefined) {
        this.#repeatedWhileRunning(running);
        return;
      }
    }
    if (deduplication.find(peer, frame.messageId, hash, now())) {
      metrics.duplicates.add();
      const response = deduplication.response();
      if (response === undefined) metrics.dropped('duplicate_non_confirmable');
      else this.#ports.send(response, peer);
      return;
    }
    metrics.requests.add();
    const request = readRequest(peer, datagram, frame);
    if (request.fault === 'bad_option' && !request.confirmable) {
      metrics.dropped('bad_option_non_confirmable');
      return;
    }
    const exchange = this.#acquire(request, hash);
    const early = request.fault === undefined ? this.#beforeHandler(request) : FAULTS[request.fault];
    if (early !== undefined) this.#answer(exchange, early, true);
    else this.#run(exchange);
  }

  settled(exchange: Exchange, response: CoapResponse): void {
    if (exchange.state === 'answered') {
      if (response?.observation !== undefined) this.#ports.observe.refuse(response.observation);
      this.#release(exchange);
    } else this.#answerLate(exchange, response);
  }

  failed(exchange: Exchange, error: unknown): void {
    if (exchange.state === 'answered') this.#release(exchange);
    else this.#answerLate(exchange, this.#errorResponse(error));
  }

  expired(exchange: Exchange): void {
    if (exchange.state === 'piggyback') {
      const { piggybackTimeout, handlerTimeout } = this.#settings;
      exchange.state = 'separate';
      this.#ports.send(emptyMessage(ACK, exchange.request.messageId), exchange.request.peer);
      this.#ports.wheel.schedule(exchange, Math.max(0, handlerTimeout - piggybackTimeout));
    } else if (exchange.state === 'separate') {
      this.#ports.logger.warn('a request ran into its time limit', { peer: exchange.request.peer.key });
      this.#answer(exchange, TIMED_OUT, false);
    }
  }

  /** The endpoint is closing: whatever runs is answered now, once. */
  abandon(): void {
    this.#closing = true;
    for (const exchange of [...this.#running]) this.#answer(exchange, OVERLOADED, false);
  }

  #repeatedWhileRunning(exchange: Exchange): void {
    this.#ports.metrics.duplicates.add();
    const { confirmable, messageId, peer } = exchange.request;
    if (confirmable && exchange.state === 'separate') this.#ports.send(emptyMessage(ACK, messageId), peer);
    else this.#ports.metrics.dropped('duplicate_running');
  }

  /** What needs no handler: the end of an observation. */
  #beforeHandler(request: IncomingRequest): CoapResponse | undefined {
    const { peer } = request;
    if (request.observe !== undefined) {
      const { observe } = this.#ports;
      const tokenKey = request.token.toString('hex');
      if (request.observe === 0) {
        request.observable = observe.hasRoom(peer, tokenKey);
      } else {
        const relation = observe.find(peer, tokenKey);
        // The end of an observation names what is observed (RFC 7641 section 3.6): another path leaves it alone.
        if (relation === undefined || relation.transferKey !== transferKey(request)) return undefined;
        request.authenticate();
        observe.close(relation, 'deregistered');
        return DEREGISTERED;
      }
    }
    return undefined;
  }

  #run(exchange: Exchange): void {
    const { request } = exchange;
    const { peer } = request;
    if (blockNumber(request.block2) > 0 && this.#ports.mayContinue(request) && this.#continued(exchange)) return;
    if (this.#running.size >= this.#settings.maxRunning || peer.runningCount >= this.#settings.maxRunningPerPeer) {
      this.#answer(exchange, OVERLOADED, true);
      return;
    }
    let answer: CoapResponse | Promise<CoapResponse>;
    try {
      answer = request.block1 === -1 ? this.#handler(request) : this.#admitBlock(request);
    } catch (error) {
      this.#answer(exchange, this.#errorResponse(error), true);
      return;
    }
    if (!isPromise(answer)) {
      this.#answer(exchange, answer, true);
      return;
    }
    enlist(peer, exchange);
    this.#running.add(exchange);
    const { piggybackTimeout, handlerTimeout } = this.#settings;
    this.#ports.wheel.schedule(exchange, request.confirmable ? piggybackTimeout : handlerTimeout);
    // A thenable that is no promise might call back twice.
    const promise = answer instanceof Promise ? answer : Promise.resolve(answer);
    promise.then(exchange.onResponse, exchange.onError);
  }

  /** Nothing is kept for a sender who has no right to send it. */
  #admitBlock(request: IncomingRequest): CoapResponse | Promise<CoapResponse> {
    const refusal = this.#ports.admit(request);
    if (refusal === undefined) return this.#assemble(request);
    return isPromise(refusal) ? refusal.then((found) => found ?? this.#assemble(request)) : refusal;
  }

  #assemble(request: IncomingRequest): CoapResponse | Promise<CoapResponse> {
    const { peer, block1, size1, contentFormat, payload } = request;
    const outcome = this.#uploads.add(transferKey(request), peer, block1, size1, contentFormat, payload);
    switch (outcome.kind) {
      case 'complete':
        request.payload = outcome.body;
        request.contentFormat = outcome.contentFormat;
        return this.#handler(request);
      case 'continue':
        return CONTINUE;
      case 'malformed':
        return MALFORMED;
      case 'incomplete':
        return INCOMPLETE;
      case 'too_large':
        return TOO_LARGE;
    }
  }

  /** Answers a request for a later block out of a kept body. False: the request has to be run again. */
  #continued(exchange: Exchange): boolean {
    const { request } = exchange;
    const block = this.#ports.bodies.block(
      transferKey(request),
      blockNumber(request.block2),
      blockExponent(request.block2),
      this.#ports.now(),
    );
    if (block === 'unknown') {
      // Running anything but a GET a second time would do its work a second time.
      if (request.method === 'GET') return false;
      this.#answer(exchange, INCOMPLETE, true);
    } else if (block === undefined) this.#answer(exchange, MALFORMED, true);
    else this.#transmit(exchange, block, undefined, true);
    return true;
  }

  #errorResponse(error: unknown): CoapResponse {
    if (error instanceof TandemError && error.code !== 'INTERNAL') return errorResponse(error);
    const cause = error instanceof TandemError ? (error.cause ?? error) : error;
    const stack = cause instanceof Error ? cause.stack : String(cause);
    this.#ports.logger.error('a request handler failed', { error: stack });
    return INTERNAL;
  }

  /** Called by a promise: nobody would catch what is thrown here. */
  #answerLate(exchange: Exchange, response: CoapResponse): void {
    try {
      this.#answer(exchange, response, true);
    } catch (error) {
      this.#errorResponse(error);
      this.#finish(exchange, true);
    }
  }

  /** `settled`: the handler is done with this exchange, or never saw it. */
  #answer(exchange: Exchange, response: CoapResponse, settled: boolean): void {
    let message: OutgoingMessage | undefined;
    let relation: Relation | undefined;
    try {
      relation = this.#register(exchange.request, response);
      message = this.#render(exchange.request, response, relation?.number);
    } catch (error) {
      if (relation !== undefined) this.#ports.observe.close(relation, 'refused');
      message = this.#render(exchange.request, this.#errorResponse(error), undefined);
    }
    this.#transmit(exchange, message, relation, settled);
    if (relation !== undefined) this.#ports.observe.begin(relation);
  }

  /** The relation a response accepts. */
  #register(request: IncomingRequest, response: CoapResponse): Relation | undefined {
    const { observe } = this.#ports;
    if (request.observe !== 0 || !request.authenticated) {
      if (response.observation !== undefined) observe.refuse(response.observation);
      return undefined;
    }
    const { peer, token, confirmable } = request;
    if (response.observation !== undefined && response.code.startsWith('2.')) {
      const exponent = Math.min(blockExponent(request.block2), MAX_EXPONENT);
      return observe.register(peer, token, confirmable, response.observation, transferKey(request), exponent);
    }
    if (response.observation !== undefined) observe.refuse(response.observation);
    // A client that registers again and gets no Observe option knows that it does not observe any more.
    const before = observe.find(peer, token.toString('hex'));
    if (before !== undefined) observe.close(before, 'replaced');
    return undefined;
  }

  #render(request: IncomingRequest, response: CoapResponse, observe: number | undefined): OutgoingMessage {
    const payload = response.payload === undefined ? EMPTY : payloadBytes(response.payload);
    const message: OutgoingMessage = {
      code: codeByte(response.code),
      payload,
      etag: response.etag,
      observe,
      contentFormat: response.contentFormat,
      maxAge: response.maxAge,
      block2: undefined,
      block1: request.block1 === -1 ? undefined : request.block1,
      size2: undefined,
      size1: response === TOO_LARGE ? this.#settings.maxBody : undefined,
    };
    if (payload.length === 0) return message;
    const exponent = blockExponent(request.block2);
    if (request.block2 === -1 && payload.length <= blockSize(MAX_EXPONENT)) return message;
    const number = message.code >> 5 === 2 ? blockNumber(request.block2) : 0;
    const cut = this.#ports.bodies.cut(transferKey(request), message, payload, number, exponent, this.#ports.now());
    return cut ?? { code: codeByte(MALFORMED.code) };
  }

  #transmit(exchange: Exchange, message: OutgoingMessage, relation: Relation | undefined, settled: boolean): void {
    const { request } = exchange;
    const { peer, datagram, messageId, tokenLength } = request;
    const { deduplication, metrics, reliability } = this.#ports;
    const now = this.#ports.now();
    metrics.responded(message.code);
    if (!request.authenticated) {
      this.#transmitToStranger(exchange, message);
      this.#finish(exchange, settled);
      return;
    }
    if (exchange.state === 'piggyback') {
      const reply = encodeMessage(ACK, messageId, message, datagram, 4, tokenLength);
      deduplication.remember(peer, messageId, exchange.tokenHash, reply, now);
      this.#ports.send(reply, peer);
    } else if (request.confirmable && !this.#closing) {
      deduplication.remember(peer, messageId, exchange.tokenHash, emptyMessage(ACK, messageId), now);
      const separate = encodeMessage(CON, 0, message, datagram, 4, tokenLength);
      const owner = relation && this.#registrationOwner(relation);
      if (reliability.send(peer, separate, owner) === undefined) {
        metrics.dropped('queue_full');
        if (relation !== undefined) this.#ports.observe.close(relation, 'refused');
      }
    } else {
      deduplication.remember(peer, messageId, exchange.tokenHash, undefined, now);
      const id = reliability.messageId(peer);
      if (id === -1) metrics.dropped('no_message_id');
      else {
        relation?.rememberNonId(id);
        const type = request.confirmable ? CON : NON;
        this.#ports.send(encodeMessage(type, id, message, datagram, 4, tokenLength), peer);
      }
    }
    this.#finish(exchange, settled);
  }

  /**
   * Nothing is remembered of a stranger's request: it has changed nothing, so it may be answered anew, and a flood of them
   * cannot push out what is remembered of devices. A peer with valid credentials is no stranger unless it guesses others.
   */
  #transmitToStranger(exchange: Exchange, message: OutgoingMessage): void {
    const { request } = exchange;
    const { peer, datagram, messageId, tokenLength, confirmable } = request;
    const { metrics, reliability } = this.#ports;
    const known = peer.authenticated && message.code !== UNAUTHORIZED;
    if (!known && !this.#ports.mayReply(peer.address)) return;
    const type = exchange.state === 'piggyback' ? ACK : confirmable ? CON : NON;
    let reply = encodeMessage(type, messageId, message, datagram, 4, tokenLength);
    if (reply.length > AMPLIFICATION * datagram.length) {
      metrics.dropped('amplification');
      reply = encodeMessage(type, messageId, { code: message.code }, datagram, 4, tokenLength);
    }
    if (type === ACK) this.#ports.send(reply, peer);
    else if (type === CON && !this.#closing) {
      if (reliability.send(peer, reply) === undefined) metrics.dropped('queue_full');
    } else {
      const id = reliability.messageId(peer);
      if (id === -1) metrics.dropped('no_message_id');
      else {
        stampMessageId(reply, id);
        this.#ports.send(reply, peer);
      }
    }
  }

  /** The separate response to a registration is the relation's first message, and may end it like any other. */
  #registrationOwner(relation: Relation): TransmissionOwner {
    const { observe } = this.#ports;
    return {
      transmitted() {},
      acknowledged() {},
      rejected: () => observe.rejected(relation),
      timedOut: () => observe.timedOut(relation),
    };
  }

  #acquire(request: IncomingRequest, hash: number): Exchange {
    let exchange = this.#pool.pop();
    if (exchange === undefined) exchange = new Exchange(this, request);
    else exchange.request = request;
    exchange.tokenHash = hash;
    exchange.state = request.confirmable ? 'piggyback' : 'separate';
    return exchange;
  }

  #finish(exchange: Exchange, settled: boolean): void {
    if (exchange.listed) {
      this.#ports.wheel.cancel(exchange);
      delist(exchange.request.peer, exchange);
      this.#running.delete(exchange);
    }
    exchange.state = 'answered';
    if (settled) this.#release(exchange);
  }

  #release(exchange: Exchange): void {
    exchange.request = this.#noRequest;
    if (this.#pool.length < MAX_POOL) this.#pool.push(exchange);
  }
}

function isPromise<T>(answer: T | Promise<T>): answer is Promise<T> {
  return answer instanceof Promise || typeof (answer as { then?: unknown } | undefined)?.then === 'function';
}
