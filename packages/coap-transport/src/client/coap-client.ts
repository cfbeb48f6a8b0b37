import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import type { Clock, Millis, Random, Timer } from '@tandem/core';
import { blockExponent, blockMore, blockNumber, blockOption, blockSize } from '../endpoint/block-option';
import { ACK, CON, RST } from '../endpoint/codes';
import { emptyMessage, type Frame } from '../endpoint/guard';
import {
  type ClientRequest,
  type CoapReply,
  decodeReply,
  encodeRequest,
  frameOf,
  type RequestOptions,
  tokenOf,
} from './client-message';

export interface CoapClientOptions {
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  readonly random: Random;
  /** ACK_TIMEOUT (RFC 7252 section 4.8). */
  readonly ackTimeout?: Millis;
}

/** Why there is no reply, in words that follow a name of the server: `does not answer`. */
export class CoapFailure extends Error {
  override readonly name = 'CoapFailure';
}

/** The life of an observation at the client's side. */
export interface Observation {
  /** What the registration was answered; without `observe` in it there is no observation. */
  readonly first: CoapReply;
  /** Registers once more, so that a server that has forgotten it knows it again (RFC 7641 section 3.3.1). */
  refresh(): Promise<CoapReply>;
  /** Tells the server, and waits for its word. */
  cancel(): Promise<void>;
}

export interface Observer {
  /** Each notification once; one without `observe` in it is the last. */
  notified(reply: CoapReply): void;
}

const ACK_TIMEOUT: Millis = 2_000;
const MAX_RETRANSMIT = 4;
/** ACK_RANDOM_FACTOR is 1.5; in steps, so that many requests share few timers of Node. */
const JITTER_STEPS = 8;
/** How long a response may take after an empty acknowledgement: a call that waits for a webhook takes 60 s. */
const SEPARATE_RESPONSE: Millis = 90_000;
/** 1024 bytes: the largest block there is (RFC 7959 section 2.2). */
const LARGEST_EXPONENT = 6;
/** Bodies that a server sends in blocks: whoever sends more is no gateway. */
const MAX_BODY = 512 << 20;

interface Exchange {
  datagram: Buffer;
  messageId: number;
  attempt: number;
  timeout: Millis;
  timer: Timer | undefined;
  readonly observer: Observer | undefined;
  /** Of the confirmable notification that came last: its repetitions are acknowledged, and are no news. */
  lastNotification: number;
  waiting: { resolve(reply: CoapReply): void; reject(failure: CoapFailure): void } | undefined;
}

/**
 * A CoAP client on a UDP port of its own, as one device has it: confirmable requests with repetitions, separate responses,
 * observations, blocks both ways, and proofs of its address.
 */
export class CoapClient {
  readonly #exchanges = new Map<number, Exchange>();
  #messageId: number;
  #token: number;
  #echo: Buffer | undefined;
  #closed = false;

  private constructor(
    private readonly socket: Socket,
    private readonly options: CoapClientOptions,
  ) {
    this.#messageId = options.random.bytes(2).readUInt16BE();
    this.#token = options.random.bytes(4).readUInt32BE();
    socket.on('message', (datagram) => this.#receive(datagram));
    // Among others what the system says when nobody has the port: it comes for a datagram that was sent before.
    socket.on('error', (error: NodeJS.ErrnoException) => this.#failAll(new CoapFailure(reasonOf(error))));
  }

  /** @throws CoapFailure when the host is not known */
  static async open(options: CoapClientOptions): Promise<CoapClient> {
    const { address, family } = await lookup(options.host).catch((error: NodeJS.ErrnoException) => {
      throw new CoapFailure(reasonOf(error));
    });
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    socket.connect(options.port, address);
    await once(socket, 'connect');
    return new CoapClient(socket, options);
  }

  /**
   * The whole reply, put together where it comes in blocks; a payload that needs it goes in blocks as well.
   * @throws CoapFailure when there is none
   */
  async request(request: ClientRequest): Promise<CoapReply> {
    const { payload } = request;
    const first =
      payload && payload.length > blockSize(LARGEST_EXPONENT)
        ? await this.#inBlocks(request, payload)
        : await this.#proved(request, {});
    return this.whole(request, first);
  }

  /** One message of a body: for whoever takes each as it comes. @param block2 as on the wire */
  block(request: ClientRequest, block2: number): Promise<CoapReply> {
    return this.#proved(request, { block2 });
  }

  /** A reply with what follows its first block. */
  async whole(request: ClientRequest, first: CoapReply): Promise<CoapReply> {
    const parts = [first.payload];
    let bytes = first.payload.length;
    for (let block = first.block2; block !== undefined && blockMore(block); ) {
      if (bytes > MAX_BODY) throw new CoapFailure('sends a body without end');
      const next = blockOption(blockNumber(block) + 1, false, blockExponent(block));
      const reply = await this.block({ ...request, payload: undefined }, next);
      if (!reply.code.startsWith('2.')) return reply;
      parts.push(reply.payload);
      bytes += reply.payload.length;
      block = reply.block2;
    }
    return parts.length === 1 ? first : { ...first, payload: Buffer.concat(parts) };
  }

  /** @throws CoapFailure when the registration is not answered */
  async observe(request: ClientRequest, observer: Observer): Promise<Observation> {
    const token = this.#nextToken();
    let before: Promise<void> = Promise.resolve();
    const wholeInOrder: Observer = {
      notified: (reply) => {
        before = before
          .then(() => this.whole(request, reply))
          .then(
            (whole) => observer.notified(whole),
            // The rest of a long one does not come: what it said comes again with the next registration.
            () => undefined,
          );
      },
    };
    const register = async () => {
      const first = await this.#proved(request, { observe: 0 }, { token, observer: wholeInOrder });
      return this.whole(request, first);
    };
    const first = await register();
    return {
      first,
      refresh: register,
      cancel: async () => {
        await this.#proved(request, { observe: 1 }, { token, observer: undefined });
      },
    };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#failAll(new CoapFailure('is not asked any more'));
    this.socket.close();
  }

  /** Block1: each block when the one before was taken. */
  async #inBlocks(request: ClientRequest, payload: Buffer): Promise<CoapReply> {
    let exponent = LARGEST_EXPONENT;
    for (let from = 0; ; ) {
      const size = blockSize(exponent);
      const more = from + size < payload.length;
      const block1 = blockOption(from / size, more, exponent);
      const reply = await this.#proved({ ...request, payload: payload.subarray(from, from + size) }, { block1 });
      if (!more || reply.code !== '2.31') return reply;
      from += size;
      // The server may want smaller ones from here on.
      exponent = Math.min(exponent, blockExponent(reply.block1 ?? exponent));
    }
  }

  /** Once more with what the server wants to be repeated, where it asks for that. */
  async #proved(
    request: ClientRequest,
    options: RequestOptions,
    relation: { token: number; observer: Observer | undefined } = { token: this.#nextToken(), observer: undefined },
  ): Promise<CoapReply> {
    const reply = await this.#exchange(request, { ...options, echo: this.#echo }, relation.token, relation.observer);
    if (reply.code !== '4.01' || reply.echo === undefined) return reply;
    this.#echo = Buffer.from(reply.echo);
    return this.#exchange(request, { ...options, echo: this.#echo }, relation.token, relation.observer);
  }

  #exchange(
    request: ClientRequest,
    options: RequestOptions,
    token: number,
    observer: Observer | undefined,
  ): Promise<CoapReply> {
    if (this.#closed) return Promise.reject(new CoapFailure('is not asked any more'));
    this.#messageId = (this.#messageId + 1) & 0xffff;
    const before = this.#exchanges.get(token);
    before?.timer?.cancel();
    before?.waiting?.reject(new CoapFailure('was asked anew'));
    return new Promise((resolve, reject) => {
      const jitter = 1 + Math.floor(this.options.random.fraction() * JITTER_STEPS) / (2 * JITTER_STEPS);
      const exchange: Exchange = {
        datagram: encodeRequest(this.#messageId, token, request, options),
        messageId: this.#messageId,
        attempt: 0,
        timeout: (this.options.ackTimeout ?? ACK_TIMEOUT) * jitter,
        timer: undefined,
        observer,
        lastNotification: before?.lastNotification ?? -1,
        waiting: { resolve, reject },
      };
      this.#exchanges.set(token, exchange);
      this.#transmit(token, exchange);
    });
  }

  #transmit(token: number, exchange: Exchange): void {
    this.socket.send(exchange.datagram, (error) => {
      if (error) this.#fail(token, exchange, new CoapFailure(reasonOf(error)));
    });
    exchange.timer = this.options.clock.setTimer(exchange.timeout * 2 ** exchange.attempt, () => {
      if (exchange.attempt === MAX_RETRANSMIT) {
        this.#fail(token, exchange, new CoapFailure('does not answer'));
        return;
      }
      exchange.attempt += 1;
      this.#transmit(token, exchange);
    });
  }

  #receive(datagram: Buffer): void {
    const frame = frameOf(datagram);
    if (frame === undefined) return;
    if (frame.code === 0) this.#empty(frame);
    else if (frame.code >= 0x40) this.#reply(datagram, frame);
  }

  /** An acknowledgement, whose response comes later, or a reset. */
  #empty({ type, messageId }: Frame): void {
    if (type !== ACK && type !== RST) return;
    for (const [token, exchange] of this.#exchanges) {
      if (exchange.messageId !== messageId || !exchange.waiting) continue;
      if (type === RST) {
        this.#fail(token, exchange, new CoapFailure('resets the request: it is not understood'));
        return;
      }
      exchange.timer?.cancel();
      exchange.timer = this.options.clock.setTimer(SEPARATE_RESPONSE, () =>
        this.#fail(token, exchange, new CoapFailure('has taken the request and does not answer it')),
      );
      return;
    }
  }

  #reply(datagram: Buffer, frame: Frame): void {
    const token = tokenOf(datagram, frame);
    const exchange = this.#exchanges.get(token);
    const { type, messageId } = frame;
    // Nobody waits for it here: a reset ends the observation that it is of (RFC 7641 section 3.6).
    if (type === CON) this.socket.send(emptyMessage(exchange ? ACK : RST, messageId));
    if (!exchange || (type === ACK && messageId !== exchange.messageId)) return;
    const repeated = type === CON && messageId === exchange.lastNotification;
    if (type === CON) exchange.lastNotification = messageId;
    if (repeated) return;
    const reply = decodeReply(datagram, frame);
    const { waiting, observer } = exchange;
    if (reply.observe === undefined || !observer) this.#exchanges.delete(token);
    if (!waiting) {
      observer?.notified(reply);
      return;
    }
    exchange.waiting = undefined;
    exchange.timer?.cancel();
    waiting.resolve(reply);
  }

  #fail(token: number, exchange: Exchange, failure: CoapFailure): void {
    exchange.timer?.cancel();
    if (this.#exchanges.get(token) === exchange) this.#exchanges.delete(token);
    exchange.waiting?.reject(failure);
    exchange.waiting = undefined;
  }

  /** Those that wait for a reply; observations go on, as their server may be there again before it is asked. */
  #failAll(failure: CoapFailure): void {
    for (const [token, exchange] of [...this.#exchanges]) if (exchange.waiting) this.#fail(token, exchange, failure);
  }

  #nextToken(): number {
    this.#token = (this.#token + 1) >>> 0;
    return this.#token;
  }
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ECONNREFUSED') return 'does not listen there';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'is not known: the host name does not resolve';
  return `cannot be reached: ${code ?? message}`;
}
