import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { FakeRandom } from '../../packages/coap-transport/src/endpoint/testing/fake-random';

/** What becomes of a datagram, the same in both directions. */
export interface LinkQuality {
  /** Probabilities from 0 to 1. */
  readonly loss: number;
  readonly duplication: number;
  /** Each copy takes a time of its own between the two (ms), so that copies and datagrams overtake each other. */
  readonly delay: readonly [number, number];
}

/** What happened to the datagrams of one direction. */
export class Traffic {
  passed = 0;
  lost = 0;
  duplicated = 0;
}

/**
 * A bad network with a NAT between one client and the gateway. The client sends to `port`; the gateway sees another
 * port of the proxy, which `changePort` replaces as a NAT does that has forgotten a mapping: what the gateway still
 * sends to the old port ends there. Which datagram of a direction is lost, doubled or late follows from the seed.
 *
 * The delay is on the gateway's side of the NAT: what is under way to the gateway when the port changes still arrives
 * from the old one.
 */
export class UdpProxy {
  readonly up = new Traffic();
  readonly down = new Traffic();
  readonly #upRandom: FakeRandom;
  readonly #downRandom: FakeRandom;
  /** All that were ever open: a port must not go to anybody else while the gateway may still send to it. */
  readonly #outsides: Socket[] = [];
  #client: number | undefined;
  #passed: (() => void) | undefined;
  #cut = false;
  #closed = false;

  private constructor(
    private readonly inside: Socket,
    private outside: Socket,
    private readonly gateway: number,
    private readonly quality: LinkQuality,
    seed: number,
  ) {
    this.#upRandom = new FakeRandom(seed);
    this.#downRandom = new FakeRandom(seed + 0x1_0000);
    inside.on('message', (datagram, { port }) => {
      if (port === this.port) this.#passed?.();
      else this.#fromClient(datagram, port);
    });
    this.#listen(outside);
  }

  /** @param gateway port of the gateway on the loopback interface */
  static async open(gateway: number, quality: LinkQuality, seed: number): Promise<UdpProxy> {
    return new UdpProxy(await openSocket(), await openSocket(), gateway, quality, seed);
  }

  /** Where the client sends to. */
  get port(): number {
    return this.inside.address().port;
  }

  /** What the gateway takes the client's port to be. */
  get outsidePort(): number {
    return this.outside.address().port;
  }

  /** What the client sent before leaves by the old port: it has been sent, though perhaps not been read here yet. */
  async changePort(): Promise<void> {
    const next = await openSocket();
    this.#listen(next);
    await this.#passing();
    this.outside = next;
  }

  /** From now on nothing passes. */
  cut(): void {
    this.#cut = true;
  }

  mend(): void {
    this.#cut = false;
  }

  close(): void {
    this.#closed = true;
    this.inside.close();
    for (const socket of this.#outsides) socket.close();
  }

  /** Resolves when all that lies before this socket has been passed on: a datagram of its own comes in behind it. */
  #passing(): Promise<void> {
    return new Promise((resolve) => {
      this.#passed = resolve;
      this.inside.send('', this.port, '127.0.0.1');
    });
  }

  #listen(outside: Socket): void {
    this.#outsides.push(outside);
    outside.on('message', (datagram) => {
      if (outside === this.outside) this.#fromGateway(datagram);
    });
  }

  #fromClient(datagram: Buffer, port: number): void {
    this.#client = port;
    const { outside } = this;
    this.#pass(datagram, this.up, this.#upRandom, (copy) => outside.send(copy, this.gateway, '127.0.0.1'));
  }

  #fromGateway(datagram: Buffer): void {
    this.#pass(datagram, this.down, this.#downRandom, (copy) => this.inside.send(copy, this.#client, '127.0.0.1'));
  }

  #pass(datagram: Buffer, traffic: Traffic, random: FakeRandom, send: (copy: Buffer) => void): void {
    const lost = random.fraction() < this.quality.loss;
    if (lost || this.#cut) {
      traffic.lost++;
      return;
    }
    const copies = random.fraction() < this.quality.duplication ? 2 : 1;
    traffic.passed++;
    traffic.duplicated += copies - 1;
    const [shortest, longest] = this.quality.delay;
    for (let copy = 0; copy < copies; copy++) {
      const delay = shortest + random.fraction() * (longest - shortest);
      setTimeout(() => this.#closed || send(datagram), delay).unref();
    }
  }
}

async function openSocket(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}
