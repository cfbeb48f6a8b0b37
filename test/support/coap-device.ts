import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { generate, type NamedOption, type ParsedPacket, parse } from 'coap-packet';
import { useSecret } from './used-secrets';

export interface CoapAnswer {
  /** Dotted: `2.05`. */
  readonly code: string;
  readonly text: string;
  readonly maxAge: number | undefined;
  /** Whether it carries Observe: a registration, or a notification. */
  readonly observe: boolean;
}

/** The answers to one request: one, or with Observe any number. */
export class CoapExchange {
  readonly #arrived: CoapAnswer[] = [];
  #waiting: ((answer: CoapAnswer) => void) | undefined;

  take(answer: CoapAnswer): void {
    if (this.#waiting) this.#waiting(answer);
    else this.#arrived.push(answer);
    this.#waiting = undefined;
  }

  next(): Promise<CoapAnswer> {
    const arrived = this.#arrived.shift();
    if (arrived) return Promise.resolve(arrived);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  /** What came and was not asked for yet. */
  get unread(): number {
    return this.#arrived.length;
  }
}

/** A device that speaks CoAP on a UDP socket of its own. It sends everything once: on the loopback nothing is lost. */
export class CoapDevice {
  /** Whether what the gateway sends is acknowledged: a device out of reach does not. */
  acknowledges = true;
  readonly #exchanges = new Map<string, CoapExchange>();
  #messageId = Math.floor(Math.random() * 0x10000);
  #tokens = 0;

  private constructor(
    private readonly socket: Socket,
    private readonly token: string,
  ) {
    useSecret(token);
    socket.on('message', (datagram) => this.#receive(parse(datagram)));
    // After the gateway is gone the system says so for every datagram.
    socket.on('error', () => {});
  }

  static async open(port: number, token: string): Promise<CoapDevice> {
    const socket = createSocket('udp4');
    socket.unref();
    socket.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new CoapDevice(socket, token);
  }

  get(feature: string): Promise<CoapAnswer> {
    return this.#request('GET', feature).next();
  }

  post(feature: string, payload: string): Promise<CoapAnswer> {
    return this.#request('POST', feature, { payload }).next();
  }

  /** The first answer is the one to the registration. */
  observe(feature: 'attributes' | 'rpc'): CoapExchange {
    return this.#request('GET', feature, { observe: true });
  }

  close(): void {
    this.socket.close();
  }

  #request(code: string, feature: string, { payload = '', observe = false } = {}): CoapExchange {
    const segments = ['api', 'v1', this.token, ...feature.split('/')];
    const options: NamedOption[] = segments.map((segment) => ({ name: 'Uri-Path', value: Buffer.from(segment) }));
    if (observe) options.push({ name: 'Observe', value: Buffer.alloc(0) });
    const token = Buffer.alloc(4);
    token.writeUInt32BE(++this.#tokens);
    const exchange = new CoapExchange();
    this.#exchanges.set(token.toString('hex'), exchange);
    this.#messageId = (this.#messageId + 1) % 0x10000;
    this.#send({ code, confirmable: true, messageId: this.#messageId, token, options, payload: Buffer.from(payload) });
    return exchange;
  }

  #receive(packet: ParsedPacket): void {
    if (packet.code === '0.00') return;
    if (packet.confirmable && this.acknowledges) this.#send({ code: '0.00', ack: true, messageId: packet.messageId });
    const maxAge = packet.options.find(({ name }) => name === 'Max-Age')?.value;
    this.#exchanges.get(packet.token.toString('hex'))?.take({
      code: packet.code,
      text: packet.payload.toString(),
      maxAge: maxAge && (maxAge.length === 0 ? 0 : maxAge.readUIntBE(0, maxAge.length)),
      observe: packet.options.some(({ name }) => name === 'Observe'),
    });
  }

  #send(packet: Parameters<typeof generate>[0]): void {
    this.socket.send(generate(packet), () => {});
  }
}
