import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { generate, type NamedOption, type Packet, type ParsedPacket, parse } from 'coap-packet';
import { FakeRandom } from '../../packages/coap-transport/src/endpoint/testing/fake-random';

/** Transmission parameters of RFC 7252 section 4.8; ACK_RANDOM_FACTOR is 1.5. */
export const ACK_TIMEOUT = 100;
const ACK_RANDOM_FACTOR = 1.5;
const MAX_RETRANSMIT = 4;
/** How long a separate response is awaited after the empty Acknowledgement: twice MAX_TRANSMIT_WAIT. */
const SEPARATE_WAIT = 2 * ACK_TIMEOUT * 31 * ACK_RANDOM_FACTOR;

export interface PeerRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Beside Uri-Path. */
  readonly options?: readonly NamedOption[];
  readonly payload?: Buffer | string;
  /** A new one for each request that names none. */
  readonly token?: Buffer;
}

/** A Confirmable request under way. */
interface Outstanding {
  readonly messageId: number;
  readonly token: string;
  acknowledged: boolean;
  timer: NodeJS.Timeout | undefined;
  readonly settle: (response: ParsedPacket | undefined) => void;
}

/**
 * A CoAP client that does what RFC 7252 section 4 asks of one: Confirmable requests one at a time (NSTART 1), repeated
 * with jitter and doubled time-outs, and given up after MAX_RETRANSMIT; Confirmable messages to it acknowledged,
 * recognised when they come again, and reset when nobody waits for them.
 */
export class CoapPeer {
  readonly #socket: Socket;
  readonly #random: FakeRandom;
  readonly #listeners = new Map<string, (message: ParsedPacket) => void>();
  /** Message ids of the gateway that have been seen. It uses one again after 247 s at the earliest. */
  readonly #seen = new Set<number>();
  #outstanding: Outstanding | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #messageId: number;
  #tokens = 0;
  #closed = false;

  private constructor(
    socket: Socket,
    private readonly port: number,
    seed: number,
  ) {
    this.#socket = socket;
    this.#random = new FakeRandom(seed);
    this.#messageId = this.#random.integer(0x10000);
    socket.on('message', (datagram) => this.#receive(parse(datagram)));
  }

  static async open(port: number, seed: number): Promise<CoapPeer> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new CoapPeer(socket, port, seed);
  }

  /** Resolves with the response, or with undefined when the request was given up; its turn comes after those before. */
  request(request: PeerRequest): Promise<ParsedPacket | undefined> {
    const answered = this.#turn.then(() => this.#exchange(request));
    this.#turn = answered;
    return answered;
  }

  /** A Non-confirmable request, once and at once. What answers it goes to whoever listens for its token. */
  tell(request: PeerRequest & { readonly token: Buffer }): void {
    if (!this.#closed) this.#send(this.#encode(request, false, this.#nextId()));
  }

  /** What comes with this token and answers no request under way: notifications. */
  listen(token: Buffer, listener: (message: ParsedPacket) => void): void {
    this.#listeners.set(token.toString('hex'), listener);
  }

  /** Whatever else comes with this token is reset. */
  forget(token: Buffer): void {
    this.#listeners.delete(token.toString('hex'));
  }

  newToken(): Buffer {
    const token = Buffer.alloc(4);
    token.writeUInt32BE(++this.#tokens);
    return token;
  }

  close(): void {
    this.#closed = true;
    this.#settle(undefined);
    this.#socket.close();
  }

  #exchange(request: PeerRequest): Promise<ParsedPacket | undefined> {
    const messageId = this.#nextId();
    const token = request.token ?? this.newToken();
    const datagram = this.#encode({ ...request, token }, true, messageId);
    return new Promise((settle) => {
      if (this.#closed) return settle(undefined);
      const timeout = ACK_TIMEOUT * (1 + (ACK_RANDOM_FACTOR - 1) * this.#random.fraction());
      this.#outstanding = { messageId, token: token.toString('hex'), acknowledged: false, timer: undefined, settle };
      this.#transmit(this.#outstanding, datagram, timeout, MAX_RETRANSMIT);
    });
  }

  #nextId(): number {
    this.#messageId = (this.#messageId + 1) & 0xffff;
    return this.#messageId;
  }

  #encode(request: PeerRequest, confirmable: boolean, messageId: number): Buffer {
    const { method, path, options = [], payload = '', token } = request;
    return generate({
      code: method,
      confirmable,
      messageId,
      token,
      options: [...path.split('/').map((segment) => option('Uri-Path', segment)), ...options],
      payload: Buffer.from(payload),
    });
  }

  #send(datagram: Buffer): void {
    this.#socket.send(datagram, this.port, '127.0.0.1');
  }

  #transmit(outstanding: Outstanding, datagram: Buffer, timeout: number, repetitions: number): void {
    this.#send(datagram);
    outstanding.timer = setTimeout(() => {
      if (repetitions === 0) this.#settle(undefined);
      else this.#transmit(outstanding, datagram, 2 * timeout, repetitions - 1);
    }, timeout);
  }

  #settle(response: ParsedPacket | undefined): void {
    const outstanding = this.#outstanding;
    this.#outstanding = undefined;
    clearTimeout(outstanding?.timer);
    outstanding?.settle(response);
  }

  #receive(message: ParsedPacket): void {
    const outstanding = this.#outstanding;
    if (message.ack || message.reset) {
      if (outstanding?.messageId !== message.messageId) return;
      if (message.reset) this.#settle(undefined);
      else if (message.code !== '0.00') this.#settle(message);
      else if (!outstanding.acknowledged) {
        outstanding.acknowledged = true;
        clearTimeout(outstanding.timer);
        outstanding.timer = setTimeout(() => this.#settle(undefined), SEPARATE_WAIT);
      }
      return;
    }
    const token = message.token.toString('hex');
    const listener = this.#listeners.get(token);
    const known = this.#seen.has(message.messageId);
    if (!known && listener === undefined && outstanding?.token !== token) {
      this.#answer({ reset: true, messageId: message.messageId });
      return;
    }
    if (message.confirmable) this.#answer({ ack: true, messageId: message.messageId });
    if (known) return;
    this.#seen.add(message.messageId);
    // Without a listener it is the separate response of the request, which also acknowledges it (section 5.2.2).
    if (listener === undefined) this.#settle(message);
    else listener(message);
  }

  #answer(packet: Packet): void {
    this.#send(generate({ code: '0.00', ...packet }));
  }
}

export const option = (name: NamedOption['name'], value: string | Buffer): NamedOption => ({
  name,
  value: Buffer.from(value),
});
