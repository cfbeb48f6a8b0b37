import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { acknowledgementOf, classifyReply, dottedCode } from '../load/coap-message';
import { attributesDatagram, isContent, isNotification, isRegistered } from './observer-message';

/** On this machine nothing is lost; an answer that takes longer is not coming. */
const ANSWER_LIMIT_MS = 20_000;

export interface PeerOptions {
  readonly host: string;
  readonly port: number;
  /** Address the peer sends from. */
  readonly source: string;
  /** Hears of each notification, right after its acknowledgement has been sent. */
  readonly notified: (datagram: Buffer, peer: ObserverPeer) => void;
}

/** A device with a UDP port of its own, or several behind one: one request outstanding, at most one observation. */
export class ObserverPeer {
  readonly #notified: PeerOptions['notified'];
  readonly #socket: Socket;
  #messageId: number;
  #token: number;
  #observed = -1;
  #answered: ((reply: Buffer) => void) | undefined;

  private constructor(socket: Socket, { notified }: PeerOptions) {
    this.#notified = notified;
    this.#socket = socket;
    this.#messageId = Math.floor(Math.random() * 0x10000);
    this.#token = Math.floor(Math.random() * 0x100000000);
    socket.on('message', (datagram: Buffer) => this.#received(datagram));
  }

  static async open(options: PeerOptions): Promise<ObserverPeer> {
    const socket = createSocket('udp4');
    socket.bind(0, options.source);
    await once(socket, 'listening');
    socket.connect(options.port, options.host);
    await once(socket, 'connect');
    return new ObserverPeer(socket, options);
  }

  /** Reads the shared attributes of a device. Throws when the answer is no 2.05. */
  async read(accessToken: string): Promise<void> {
    const answer = await this.#ask(accessToken, false);
    if (!isContent(answer)) throw new Error(`a device was answered ${dottedCode(answer[1] ?? 0)}`);
  }

  /** Begins to observe the shared attributes of a device. Throws when the server does not notify it. */
  async register(accessToken: string): Promise<void> {
    const answer = await this.#ask(accessToken, true);
    if (!isRegistered(answer)) {
      throw new Error(`an observation was not accepted: ${dottedCode(answer[1] ?? 0)}, no Observe option`);
    }
    this.#observed = this.#token;
  }

  close(): void {
    this.#socket.close();
  }

  #ask(accessToken: string, observe: boolean): Promise<Buffer> {
    this.#messageId = (this.#messageId + 1) & 0xffff;
    this.#token = (this.#token + 1) >>> 0;
    this.#socket.send(attributesDatagram(accessToken, observe, this.#messageId, this.#token));
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => reject(new Error('a device was not answered')), ANSWER_LIMIT_MS);
      this.#answered = (reply) => {
        clearTimeout(limit);
        this.#answered = undefined;
        resolve(reply);
      };
    });
  }

  #received(datagram: Buffer): void {
    const acknowledgement = acknowledgementOf(datagram);
    if (acknowledgement !== undefined) this.#socket.send(acknowledgement);
    if (this.#answered !== undefined) {
      const kind = classifyReply(datagram, this.#messageId, this.#token);
      if (kind === 'piggybacked' || kind === 'separate' || kind === 'reset') {
        this.#answered(datagram);
        return;
      }
    }
    if (isNotification(datagram, this.#observed)) this.#notified(datagram, this);
  }
}
