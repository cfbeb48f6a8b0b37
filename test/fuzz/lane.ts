import { createSocket, type Socket } from 'node:dgram';
import { ACK, CON, empty, NON, RST, typeOf } from './message';
import type { Seeded } from './seeded';

export interface Gateway {
  readonly port: number;
}

/** An address that got more than three times what came from it: in all, or under one message id. */
export interface Excess {
  readonly source: string;
  readonly sent: number;
  readonly received: number;
  /** In hexadecimal: the last datagram from there, and the one too many. */
  readonly last: string;
  readonly reply: string;
}

export interface Tally {
  datagrams: number;
  bytes: number;
  replies: number;
  replyBytes: number;
  readonly excesses: Excess[];
}

export const newTally = (): Tally => ({ datagrams: 0, bytes: 0, replies: 0, replyBytes: 0, excesses: [] });

const AMPLIFICATION = 3;
const HEX = 80;
/** Message ids are told apart by their last bits. */
const IDS = 4_096;

/** A socket on an address of its own within 127.0.0.0/8 that counts what leaves and what arrives. */
export class Lane {
  readonly #socket: Socket;
  readonly #source: string;
  #sent = 0;
  #received = 0;
  #last: Buffer = Buffer.alloc(0);
  #excessive = false;
  /** Bytes by message id; of what comes in only acknowledgements and Resets, which have the id of the request. */
  readonly #sentUnder = new Uint32Array(IDS);
  readonly #receivedUnder = new Uint32Array(IDS);

  private constructor(
    socket: Socket,
    private readonly gateway: Gateway,
    private readonly tally: Tally,
    private readonly reactions: Seeded | undefined,
  ) {
    this.#socket = socket;
    const { address, port } = socket.address();
    this.#source = `${address}:${port}`;
    socket.on('message', (datagram) => this.#receive(datagram));
    socket.on('error', () => {});
  }

  /**
   * @param reactions decides what meets confirmable messages. Undefined: a stranger, who answers nothing, and must not get
   * more than three times what it sent
   */
  static open(address: string, gateway: Gateway, tally: Tally, reactions?: Seeded): Promise<Lane> {
    const socket = createSocket({ type: 'udp4', lookup: (host, _options, done) => done(null, host, 4) });
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.bind({ address, port: 0 }, () => {
        socket.off('error', reject);
        resolve(new Lane(socket, gateway, tally, reactions));
      });
    });
  }

  get address(): { readonly address: string; readonly port: number } {
    return this.#socket.address();
  }

  send(datagram: Buffer): void {
    this.account(datagram);
    this.#socket.send(datagram, 0, datagram.length, this.gateway.port, '127.0.0.1');
  }

  /** This one leaves in the name of this lane, by whatever way. */
  account(datagram: Buffer): void {
    this.#sent += datagram.length;
    this.#last = datagram;
    if (this.reactions === undefined) add(this.#sentUnder, datagram);
    this.tally.datagrams++;
    this.tally.bytes += datagram.length;
  }

  close(): void {
    this.#socket.close();
  }

  #receive(datagram: Buffer): void {
    this.#received += datagram.length;
    this.tally.replies++;
    this.tally.replyBytes += datagram.length;
    if (this.reactions === undefined) this.#judge(datagram);
    else this.#react(datagram, this.reactions);
  }

  #judge(reply: Buffer): void {
    const answersDirectly = typeOf(reply) === ACK || typeOf(reply) === RST;
    const received = answersDirectly ? add(this.#receivedUnder, reply) : 0;
    const sent = answersDirectly ? (this.#sentUnder[idOf(reply)] ?? 0) : 0;
    if (received > AMPLIFICATION * sent) this.#complain(sent, received, reply);
    else if (this.#received > AMPLIFICATION * this.#sent) this.#complain(this.#sent, this.#received, reply);
  }

  #complain(sent: number, received: number, reply: Buffer): void {
    if (this.#excessive) return;
    this.#excessive = true;
    const [last, tooMany] = [this.#last, reply].map((datagram) => datagram.subarray(0, HEX).toString('hex'));
    this.tally.excesses.push({ source: this.#source, sent, received, last: last ?? '', reply: tooMany ?? '' });
  }

  /** Acknowledges, resets, or says nothing. */
  #react(datagram: Buffer, random: Seeded): void {
    if (datagram.length < 4 || datagram[1] === 0) return;
    const type = typeOf(datagram);
    const id = datagram.readUInt16BE(2);
    const chance = random.below(100);
    if (type === CON && chance < 75) this.send(empty(chance < 60 ? ACK : RST, id));
    else if (type === NON && chance < 5) this.send(empty(RST, id));
  }
}

const idOf = (datagram: Buffer): number => datagram.readUInt16BE(2) % IDS;

/** @returns the bytes under that message id by now */
function add(bytes: Uint32Array, datagram: Buffer): number {
  if (datagram.length < 4) return 0;
  const id = idOf(datagram);
  const sum = (bytes[id] ?? 0) + datagram.length;
  bytes[id] = sum;
  return sum;
}
