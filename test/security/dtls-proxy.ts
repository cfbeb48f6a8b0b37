import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** What becomes of a datagram on its way: what is sent on in its place, in that order. */
export type Tampering = (datagram: Buffer) => readonly Buffer[];

const UNTOUCHED: Tampering = (datagram) => [datagram];

/**
 * Somebody between a client and the gateway, who sees all datagrams and sends what he likes. At the gateway it is always the same
 * port; what comes back goes to the client that has sent something last.
 */
export class DtlsProxy {
  /** From the client to the gateway, and back. */
  up: Tampering = UNTOUCHED;
  down: Tampering = UNTOUCHED;
  /** Everything that the client has sent, as it was. */
  readonly seen: Buffer[] = [];
  #client: number | undefined;
  #closed = false;

  private constructor(
    private readonly inside: Socket,
    private readonly outside: Socket,
    private readonly gateway: number,
  ) {
    inside.on('message', (datagram, { port }) => {
      this.#client = port;
      this.seen.push(datagram);
      for (const each of this.up(datagram)) this.inject(each);
    });
    outside.on('message', (answer) => {
      for (const each of this.down(answer)) if (!this.#closed) inside.send(each, this.#client, '127.0.0.1');
    });
  }

  /** @param gateway port of the gateway on the loopback interface */
  static async open(gateway: number): Promise<DtlsProxy> {
    return new DtlsProxy(await boundSocket(), await boundSocket(), gateway);
  }

  /** Where the client sends to. */
  get port(): number {
    return this.inside.address().port;
  }

  /** Sends to the gateway as if the client had. */
  inject(datagram: Buffer): void {
    this.outside.send(datagram, this.gateway, '127.0.0.1');
  }

  close(): void {
    this.#closed = true;
    this.inside.close();
    this.outside.close();
  }
}

/** On a free port of a loopback address. */
export async function boundSocket(address = '127.0.0.1'): Promise<Socket> {
  const socket = createSocket('udp4').bind(0, address);
  await once(socket, 'listening');
  return socket;
}
