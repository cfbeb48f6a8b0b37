import { type ErrorCode, type Faults, type Logger, type Millis, TandemError } from '@tandem/core';
import { blockExponent, blockMore } from './block-option';
import { type BodySource, readBlock } from './block2-source';
import { AnswerTooLong, Blockwise, type BlockwisePorts, type RequestHandler } from './blockwise';
import { ACK, codeByte } from './codes';
import type { OutgoingMessage } from './encoder';
import { Exchange, type ExchangeLayer, findRunning, fingerprint, hasRunning, RunningExchanges } from './exchange';
import { type DropReason, emptyMessage, Frame } from './guard';
import { PeerState } from './peer';
import { isPromise } from './promise';
import type { Relation } from './relation';
import { IncomingRequest, type RequestFault, readRequest, type Target, targetOf, transferKey } from './request';
import { Responder, type ResponderPorts } from './responder';
import { type CoapResponse, EMPTY, errorResponse } from './response';
import type { EndpointSettings } from './settings';

export interface RequestPorts extends BlockwisePorts, ResponderPorts {
  readonly logger: Logger;
  readonly faults: Faults;
  /** Whether what is observed is what the end of an observation names. */
  sameResource(observed: Target, named: Target): boolean;
  /** 32 random bits. */
  readonly seed: number;
}

/** Exchanges kept for use by later requests. */
const MAX_POOL = 1024;

const FAULTS: Readonly<Record<RequestFault, CoapResponse>> = {
  bad_option: { code: '4.02' },
  proxying: { code: '5.05' },
  method: { code: '4.05' },
  bad_block: { code: '4.00' },
};
/** The errors of a handler that refuse a request for want of room, or of the store. */
const REFUSALS: Readonly<Partial<Record<ErrorCode, DropReason>>> = {
  TOO_MANY_REQUESTS: 'too_many_requests',
  STORE_UNAVAILABLE: 'store_unavailable',
  BACKLOG_FULL: 'backlog_full',
};
const DEREGISTERED: CoapResponse = { code: '2.02' };
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
  readonly #blockwise: Blockwise;
  readonly #responder: Responder;
  readonly #pool: Exchange[] = [];
  readonly #running = new RunningExchanges();
  /** Takes the place of the request in an exchange of the pool, which must not keep a body alive. */
  readonly #noRequest: IncomingRequest;

  constructor(settings: EndpointSettings, handler: RequestHandler, ports: RequestPorts) {
    this.#settings = settings;
    this.#ports = ports;
    this.#blockwise = new Blockwise(settings, handler, ports);
    this.#responder = new Responder(settings.maxRetransmit, ports);
    this.#noRequest = new IncomingRequest(new PeerState('', '', 0, undefined, 0), EMPTY, new Frame());
  }

  get runningCount(): number {
    return this.#running.count;
  }

  get uploadBytes(): number {
    return this.#blockwise.uploadBytes;
  }

  get strangerUploadBytes(): number {
    return this.#blockwise.strangerUploadBytes;
  }

  /** A request whose frame is sound. @param now when it came */
  receive(peer: PeerState, datagram: Buffer, frame: Frame, now: Millis): void {
    const { deduplication, metrics, proofs, seed } = this.#ports;
    const hash = fingerprint(datagram, seed);
    const running = peer.running === undefined ? undefined : findRunning(peer, frame.messageId, hash);
    if (running !== undefined && running.state !== 'answered') {
      this.#repeatedWhileRunning(running);
      return;
    }
    if (deduplication.find(peer, frame.messageId, hash, now)) {
      metrics.duplicates.add();
      const response = deduplication.response();
      if (response === undefined) metrics.dropped('duplicate_non_confirmable');
      else this.#ports.send(response, peer);
      return;
    }
    // It was answered as a stranger's, of which nothing is remembered, and its handler may still do what it asks for.
    if (running !== undefined) {
      this.#repeatedWhileRunning(running);
      return;
    }
    metrics.requests.add();
    const request = readRequest(peer, datagram, frame);
    request.proofs = proofs;
    if (request.fault === 'bad_option' && !request.confirmable) {
      metrics.dropped('bad_option_non_confirmable');
      return;
    }
    const exchange = this.#acquire(request, hash, now);
    const early = request.fault === undefined ? this.#beforeHandler(request) : FAULTS[request.fault];
    if (early !== undefined) this.#answer(exchange, early, true);
    else this.#run(exchange);
  }

  settled(exchange: Exchange, response: CoapResponse): void {
    if (exchange.state === 'answered') {
      if (response?.observation !== undefined) this.#ports.observe.refuse(response.observation);
      this.#doneLate(exchange);
    } else if (response?.source !== undefined) {
      this.#read(exchange.request, response, response.source).then(exchange.onResponse, exchange.onError);
    } else this.#answerLate(exchange, response);
  }

  failed(exchange: Exchange, error: unknown): void {
    if (exchange.state === 'answered') this.#doneLate(exchange);
    else this.#answerLate(exchange, this.#errorResponse(error));
  }

  expired(exchange: Exchange): void {
    if (exchange.state === 'piggyback') {
      const { piggybackTimeout, handlerTimeout } = this.#settings;
      exchange.state = 'separate';
      this.#acknowledge(exchange.request);
      this.#ports.wheel.schedule(exchange, Math.max(0, handlerTimeout - piggybackTimeout));
    } else if (exchange.state === 'separate') {
      this.#ports.logger.warn('a request ran into its time limit', { peer: exchange.request.peer.key });
      this.#answer(exchange, TIMED_OUT, false);
    }
  }

  /** The endpoint is closing: whatever runs is answered now, once. */
  abandon(): void {
    this.#responder.closing = true;
    for (const exchange of this.#running.unanswered()) this.#answer(exchange, OVERLOADED, false);
  }

  #repeatedWhileRunning(exchange: Exchange): void {
    this.#ports.metrics.duplicates.add();
    if (exchange.request.confirmable && exchange.state === 'separate') this.#acknowledge(exchange.request);
    else this.#ports.metrics.dropped('duplicate_running');
  }

  /** An Empty Acknowledgement. Until its credentials are known to be valid, a request is a stranger's. */
  #acknowledge({ authenticated, messageId, peer }: IncomingRequest): void {
    if (authenticated || this.#ports.mayReply(peer)) this.#ports.send(emptyMessage(ACK, messageId), peer);
  }

  /** What needs no handler: the end of an observation. */
  #beforeHandler(request: IncomingRequest): CoapResponse | undefined {
    const { peer } = request;
    if (request.observe !== undefined) {
      const { observe } = this.#ports;
      const tokenKey = request.token.toString('hex');
      if (request.observe === 0) {
        request.observable = observe.hasRoom(peer, tokenKey);
        if (!request.observable) this.#ports.metrics.dropped('observations');
      } else {
        const relation = observe.find(peer, tokenKey);
        // The end of an observation names what is observed (RFC 7641 section 3.6): another path leaves it alone.
        if (relation === undefined || !this.#ports.sameResource(targetOf(relation.transferKey), request))
          return undefined;
        request.authenticate(relation.owner);
        observe.close(relation, 'deregistered');
        return DEREGISTERED;
      }
    }
    return undefined;
  }

  #run(exchange: Exchange): void {
    const { request } = exchange;
    const { peer } = request;
    const kept = this.#blockwise.kept(request);
    if (kept !== undefined) {
      this.#answer(exchange, kept, true);
      return;
    }
    const full = this.#running.count >= this.#settings.maxRunning;
    if (full || hasRunning(peer, this.#settings.maxRunningPerPeer)) {
      this.#ports.metrics.dropped(full ? 'exchanges' : 'exchanges_of_peer');
      this.#answer(exchange, OVERLOADED, true);
      return;
    }
    let answer: CoapResponse | Promise<CoapResponse>;
    try {
      answer = this.#blockwise.run(request);
    } catch (error) {
      this.#answer(exchange, this.#errorResponse(error), true);
      return;
    }
    if (!isPromise(answer) && answer?.source !== undefined) answer = this.#read(request, answer, answer.source);
    if (!isPromise(answer)) {
      this.#answer(exchange, answer, true);
      return;
    }
    this.#running.add(exchange);
    const { piggybackTimeout, handlerTimeout } = this.#settings;
    this.#ports.wheel.schedule(exchange, request.confirmable ? piggybackTimeout : handlerTimeout, exchange.arrivedAt);
    // A thenable that is no promise might call back twice.
    const promise = answer instanceof Promise ? answer : Promise.resolve(answer);
    promise.then(exchange.onResponse, exchange.onError);
  }

  #read(request: IncomingRequest, response: CoapResponse, source: BodySource): Promise<CoapResponse> {
    return readBlock(request, response, source, this.#settings.blockExponent);
  }

  #errorResponse(thrown: unknown): CoapResponse {
    const error = TandemError.from(thrown);
    error.logFault(this.#ports.faults, 'a request handler failed');
    const refusal = REFUSALS[error.code];
    if (refusal !== undefined) this.#ports.metrics.dropped(refusal);
    return errorResponse(error);
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
    const { proofs } = this.#ports;
    if (response?.challenge === true && proofs !== undefined) {
      const echo = proofs.challenge(exchange.request.peer);
      this.#transmit(exchange, { code: codeByte(response.code), echo }, undefined, settled);
      return;
    }
    let message: OutgoingMessage | undefined;
    let relation: Relation | undefined;
    try {
      relation = this.#register(exchange.request, response);
      message = this.#blockwise.render(exchange.request, response, relation);
    } catch (error) {
      if (relation !== undefined) this.#ports.observe.close(relation, 'refused');
      const refusal = error instanceof AnswerTooLong ? error.response : this.#errorResponse(error);
      message = this.#blockwise.render(exchange.request, refusal, undefined);
    }
    this.#transmit(exchange, message, relation, settled);
    if (relation !== undefined) this.#ports.observe.begin(relation, blockMore(message.block2 ?? -1));
  }

  /** The relation a response accepts. */
  #register(request: IncomingRequest, response: CoapResponse): Relation | undefined {
    const { observe } = this.#ports;
    if (request.observe !== 0 || !request.authenticated || !request.proved) {
      if (response.observation !== undefined) observe.refuse(response.observation);
      return undefined;
    }
    const { peer, token, confirmable } = request;
    if (response.observation !== undefined && response.code.startsWith('2.')) {
      const exponent = blockExponent(request.block2);
      const { owner } = request;
      return observe.register(peer, token, confirmable, response.observation, transferKey(request), owner, exponent);
    }
    if (response.observation !== undefined) observe.refuse(response.observation);
    // A client that registers again and gets no Observe option knows that it does not observe any more.
    const before = observe.find(peer, token.toString('hex'));
    if (before !== undefined) observe.close(before, 'replaced');
    return undefined;
  }

  #transmit(exchange: Exchange, message: OutgoingMessage, relation: Relation | undefined, settled: boolean): void {
    this.#responder.send(exchange, message, relation);
    this.#finish(exchange, settled);
  }

  #acquire(request: IncomingRequest, hash: number, now: Millis): Exchange {
    let exchange = this.#pool.pop();
    if (exchange === undefined) exchange = new Exchange(this, request);
    else exchange.request = request;
    exchange.fingerprint = hash;
    exchange.arrivedAt = now;
    exchange.state = request.confirmable ? 'piggyback' : 'separate';
    return exchange;
  }

  #finish(exchange: Exchange, settled: boolean): void {
    if (exchange.listed) this.#ports.wheel.cancel(exchange);
    exchange.state = 'answered';
    if (settled) this.#release(exchange);
  }

  /**
   * The handler of a request that ran into its time limit is done. Where its credentials were known only after that, the answer
   * was a stranger's and has not been remembered; what was asked for has been done all the same, and is not done again.
   */
  #doneLate(exchange: Exchange): void {
    const { request, fingerprint: hash, arrivedAt } = exchange;
    const { authenticated, confirmable, messageId, peer } = request;
    const { deduplication, now } = this.#ports;
    if (authenticated && !deduplication.find(peer, messageId, hash, now())) {
      const answer = confirmable ? emptyMessage(ACK, messageId) : undefined;
      deduplication.remember(peer, messageId, hash, answer, arrivedAt);
    }
    this.#release(exchange);
  }

  #release(exchange: Exchange): void {
    this.#running.delete(exchange);
    exchange.request = this.#noRequest;
    if (this.#pool.length < MAX_POOL) this.#pool.push(exchange);
  }
}
