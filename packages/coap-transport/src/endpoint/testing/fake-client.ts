import { generate, type NamedOption, type ParsedPacket, parse } from 'coap-packet';
import type { FakeNetwork, FakeSocket } from './fake-network';
import { uint } from './message-writer';

export { uint };

export interface ClientRequest {
  readonly code?: string;
  readonly confirmable?: boolean;
  readonly messageId?: number;
  readonly token?: Buffer;
  readonly path?: readonly string[];
  readonly query?: readonly string[];
  readonly payload?: Buffer | string;
  readonly observe?: number;
  readonly block1?: number;
  readonly block2?: number;
  readonly options?: readonly { readonly name: string | number; readonly value: Buffer }[];
}

/** A peer on the fake network that speaks through the `coap-packet` codec: it shares no code with the endpoint. */
export class FakeClient {
  readonly socket: FakeSocket;
  /** Everything that arrived, oldest first. */
  readonly received: ParsedPacket[] = [];
  readonly raw: Buffer[] = [];
  /** Acknowledge Confirmable messages at once. */
  acknowledges = true;
  readonly #server: { readonly address: string; readonly port: number };
  #messageId = 0x1000;

  constructor(
    network: FakeNetwork,
    server: { readonly address: string; readonly port: number },
    address = '10.0.0.1',
    port = 40_000,
  ) {
    this.#server = server;
    this.socket = network.bind(address, port);
    this.socket.receive((datagram) => {
      this.raw.push(datagram);
      const packet = parse(datagram);
      this.received.push(packet);
      if (packet.confirmable && packet.code !== '0.00' && this.acknowledges) this.acknowledge(packet);
    });
  }

  /** The newest message, which must exist. */
  get last(): ParsedPacket {
    const packet = this.received.at(-1);
    if (packet === undefined) throw new Error('nothing has arrived');
    return packet;
  }

  take(): ParsedPacket[] {
    this.raw.length = 0;
    return this.received.splice(0);
  }

  /** Sends a request and returns its datagram, to be sent again. */
  request(request: ClientRequest): Buffer {
    const options: NamedOption[] = [];
    const add = (name: string | number, value: Buffer) => options.push({ name, value } as NamedOption);
    if (request.observe !== undefined) add('Observe', uint(request.observe));
    for (const segment of request.path ?? ['a']) add('Uri-Path', Buffer.from(segment));
    for (const query of request.query ?? []) add('Uri-Query', Buffer.from(query));
    if (request.block2 !== undefined) add('Block2', uint(request.block2));
    if (request.block1 !== undefined) add('Block1', uint(request.block1));
    for (const { name, value } of request.options ?? []) add(name, value);
    const datagram = generate(
      {
        code: request.code ?? 'GET',
        confirmable: request.confirmable ?? true,
        messageId: request.messageId ?? this.#messageId++,
        token: request.token ?? Buffer.from([1]),
        options,
        payload: Buffer.from(request.payload ?? ''),
      },
      65_000,
    );
    this.send(datagram);
    return datagram;
  }

  send(datagram: Buffer): void {
    this.socket.send(datagram, { ...this.#server, session: undefined });
  }

  acknowledge(packet: ParsedPacket): void {
    this.send(generate({ code: '0.00', ack: true, messageId: packet.messageId }));
  }

  reset(packet: ParsedPacket): void {
    this.send(generate({ code: '0.00', reset: true, messageId: packet.messageId }));
  }
}

/** The value of a uint option, undefined when the packet has none. */
export function option(packet: ParsedPacket, name: string): number | undefined {
  const found = packet.options.find((candidate) => candidate.name === name);
  return found === undefined ? undefined : found.value.length === 0 ? 0 : found.value.readUIntBE(0, found.value.length);
}

export function optionBytes(packet: ParsedPacket, name: string): Buffer | undefined {
  return packet.options.find((candidate) => candidate.name === name)?.value;
}

/** `'CON 2.05'` */
export function kind(packet: ParsedPacket): string {
  const type = packet.confirmable ? 'CON' : packet.ack ? 'ACK' : packet.reset ? 'RST' : 'NON';
  return `${type} ${packet.code}`;
}
