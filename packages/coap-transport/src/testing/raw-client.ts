import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { generate, type NamedOption, type ParsedPacket, parse } from 'coap-packet';
import { kind, option, optionBytes, uint } from '../endpoint/testing/fake-client';

export interface RawRequest {
  /** A path, split at its slashes, or the Uri-Path options themselves. */
  readonly path: string | readonly string[];
  /** GET without one. */
  readonly method?: string;
  readonly confirmable?: boolean;
  readonly messageId?: number;
  /** A new one for each request that names none. */
  readonly token?: Buffer;
  readonly query?: readonly string[];
  readonly payload?: Buffer | string;
  readonly observe?: number;
  readonly contentFormat?: number;
  readonly accept?: number;
  readonly block1?: number;
  readonly block2?: number;
  readonly echo?: Buffer;
  readonly size2?: number;
  readonly etags?: readonly Buffer[];
}

/** A message as a test reads it. */
export interface Received {
  /** `'CON 2.05'`; `'ACK 0.00'` is an empty acknowledgement. */
  readonly kind: string;
  readonly messageId: number;
  readonly token: string;
  readonly observe: number | undefined;
  readonly format: number | undefined;
  readonly maxAge: number | undefined;
  readonly block1: number | undefined;
  readonly block2: number | undefined;
  readonly size2: number | undefined;
  readonly size1: number | undefined;
  /** Hex. */
  readonly etag: string | undefined;
  readonly payload: Buffer;
  /** The payload as UTF-8. */
  readonly text: string;
}

/** Longer than anything the tests wait for, shorter than a test. */
const PATIENCE = 10_000;

/**
 * A CoAP peer on a UDP socket of its own. It does what a test tells it: message ids, tokens and acknowledgements are the
 * test's. Speaks through `coap-packet`, which shares no code with the endpoint.
 */
export class RawClient {
  /** Acknowledge Confirmable messages at once. */
  acknowledges = true;
  /** Everything that arrived, as it came. */
  readonly datagrams: Buffer[] = [];
  readonly #socket: Socket;
  readonly #inbox: Received[] = [];
  /** Confirmable messages it has acknowledged by itself, as they came. */
  readonly #acknowledged = new Set<string>();
  readonly #waiting: (() => void)[] = [];
  readonly #tokens = randomBytes(2);
  #nextId = 1;

  private constructor(
    socket: Socket,
    private readonly port: number,
  ) {
    this.#socket = socket;
    socket.on('message', (datagram) => this.#receive(datagram));
  }

  static async open(port: number): Promise<RawClient> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new RawClient(socket, port);
  }

  close(): void {
    this.#socket.close();
  }

  /** Sends a request and returns its datagram, to be sent again. */
  send(request: RawRequest): Buffer {
    const options: NamedOption[] = [];
    const add = (name: NamedOption['name'], value: Buffer) => options.push({ name, value });
    const { path, observe, contentFormat, accept, block1, block2 } = request;
    if (observe !== undefined) add('Observe', uint(observe));
    const segments = typeof path === 'string' ? path.split('/').filter((segment) => segment !== '') : path;
    for (const segment of segments) add('Uri-Path', Buffer.from(segment));
    if (contentFormat !== undefined) add('Content-Format', uint(contentFormat));
    for (const query of request.query ?? []) add('Uri-Query', Buffer.from(query));
    if (accept !== undefined) add('Accept', uint(accept));
    if (block2 !== undefined) add('Block2', uint(block2));
    if (block1 !== undefined) add('Block1', uint(block1));
    if (request.echo !== undefined) options.push({ name: '252' as NamedOption['name'], value: request.echo });
    if (request.size2 !== undefined) add('Size2', uint(request.size2));
    for (const etag of request.etags ?? []) add('ETag', etag);
    const datagram = generate(
      {
        code: request.method ?? 'GET',
        confirmable: request.confirmable ?? true,
        messageId: request.messageId ?? this.#id(),
        token: request.token ?? this.newToken(),
        options,
        payload: Buffer.from(request.payload ?? ''),
      },
      65_000,
    );
    this.sendRaw(datagram);
    return datagram;
  }

  sendRaw(datagram: Buffer): void {
    this.#socket.send(datagram, this.port, '127.0.0.1');
  }

  /** One that no other client has: the system may give this one the port of an observer that was closed before. */
  newToken(): Buffer {
    const token = Buffer.alloc(4);
    this.#tokens.copy(token);
    token.writeUInt16BE(this.#id(), 2);
    return token;
  }

  /** Sends a request and resolves with what answers it, be it piggybacked or separate. */
  async ask(request: RawRequest): Promise<Received> {
    const token = request.token ?? this.newToken();
    this.send({ ...request, token });
    return this.next((message) => message.token === token.toString('hex') && !message.kind.endsWith('0.00'));
  }

  /** The oldest message that has not been read yet and is `wanted`. */
  async next(wanted: (message: Received) => boolean = () => true): Promise<Received> {
    const deadline = Date.now() + PATIENCE;
    for (;;) {
      const place = this.#inbox.findIndex(wanted);
      const [found] = place === -1 ? [] : this.#inbox.splice(place, 1);
      if (found) return found;
      await this.#arrival(deadline);
    }
  }

  /** The next message of an observation. */
  notification(token: Buffer): Promise<Received> {
    return this.next((message) => message.token === token.toString('hex'));
  }

  acknowledge({ messageId }: Received): void {
    this.sendRaw(generate({ code: '0.00', ack: true, messageId }));
  }

  reset({ messageId }: Received): void {
    this.sendRaw(generate({ code: '0.00', reset: true, messageId }));
  }

  /**
   * What has arrived and was not read. The answer to a ping comes after all that the gateway has sent before: what is not
   * here by then was not sent.
   */
  async rest(): Promise<Received[]> {
    const messageId = this.#id();
    this.sendRaw(generate({ code: '0.00', confirmable: true, messageId }));
    await this.next((message) => message.kind === 'RST 0.00' && message.messageId === messageId);
    return this.#inbox.splice(0);
  }

  #id(): number {
    return this.#nextId++ & 0xffff;
  }

  #receive(datagram: Buffer): void {
    this.datagrams.push(datagram);
    const packet = parse(datagram);
    if (packet.confirmable && packet.code !== '0.00' && this.acknowledges) {
      this.sendRaw(generate({ code: '0.00', ack: true, messageId: packet.messageId }));
      // On a busy machine the gateway may repeat what has been acknowledged already: it is taken once (RFC 7252 section 4.5).
      const bytes = datagram.toString('latin1');
      if (this.#acknowledged.has(bytes)) return;
      this.#acknowledged.add(bytes);
    }
    this.#inbox.push(read(packet));
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #arrival(deadline: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`it has not arrived; unread: ${JSON.stringify(this.#inbox)}`)),
        deadline - Date.now(),
      );
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

function read(packet: ParsedPacket): Received {
  return {
    kind: kind(packet),
    messageId: packet.messageId,
    token: packet.token.toString('hex'),
    observe: option(packet, 'Observe'),
    format: option(packet, 'Content-Format'),
    maxAge: option(packet, 'Max-Age'),
    block1: option(packet, 'Block1'),
    block2: option(packet, 'Block2'),
    size2: option(packet, 'Size2'),
    size1: option(packet, 'Size1'),
    etag: optionBytes(packet, 'ETag')?.toString('hex'),
    payload: packet.payload,
    text: packet.payload.toString(),
  };
}
