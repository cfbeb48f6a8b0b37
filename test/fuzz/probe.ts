import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { ACK, CON, empty, pathOptions, typeOf, write } from './message';

const CREATED = 0x41;
/** RFC 7252 section 4.2: the first time-out, and how often a message is repeated. */
const ACK_TIMEOUT = 2_000;
const MAX_RETRANSMIT = 4;

interface Waiting {
  readonly value: number;
  answered(code: number | undefined): void;
}

/** An ordinary device, which sends one value after the other and wants each acknowledged, while others do what they do. */
export class Probe {
  /** Every value that the gateway said to have. */
  readonly acknowledged: number[] = [];
  readonly complaints: string[] = [];
  sent = 0;
  /** How many were answered without a repetition. */
  atOnce = 0;
  readonly #socket: Socket;
  #waiting: Waiting | undefined;
  #stopped = false;
  #closed = false;
  #loop: Promise<void> = Promise.resolve();

  private constructor(
    socket: Socket,
    private readonly token: string,
  ) {
    this.#socket = socket;
    socket.on('message', (datagram) => this.#receive(datagram));
    socket.on('error', () => {});
  }

  static async open(port: number, token: string): Promise<Probe> {
    const socket = createSocket('udp4');
    socket.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new Probe(socket, token);
  }

  start(interval: number): void {
    this.#loop = (async () => {
      while (!this.#stopped) {
        await this.post();
        await delay(interval);
      }
    })();
  }

  /** Resolves when the request that is under way has been answered, or given up. */
  stop(): Promise<void> {
    this.#stopped = true;
    return this.#loop;
  }

  /** Whatever is under way is given up, without a complaint. */
  close(): void {
    this.#closed = true;
    this.#stopped = true;
    this.#waiting?.answered(undefined);
    this.#socket.close();
  }

  /** @returns whether it was answered 2.01 at the first try */
  async post(): Promise<boolean> {
    const value = ++this.sent;
    const datagram = this.#request(value);
    for (let tries = 0; tries <= MAX_RETRANSMIT; tries++) {
      const code = await this.#exchange(value, datagram, ACK_TIMEOUT << tries);
      if (this.#closed) return false;
      if (code === undefined) continue;
      if (code === CREATED) this.acknowledged.push(value);
      else this.complaints.push(`value ${value} got ${code >> 5}.${String(code & 31).padStart(2, '0')}`);
      if (code === CREATED && tries === 0) this.atOnce++;
      return code === CREATED && tries === 0;
    }
    this.complaints.push(`value ${value} was not answered`);
    return false;
  }

  #request(value: number): Buffer {
    const token = Buffer.alloc(4);
    token.writeUInt32BE(value);
    const options = pathOptions(['api', 'v1', this.token, 'telemetry']);
    const datagram = write({ type: CON, code: 2, token, options, payload: Buffer.from(`{"probe":${value}}`) });
    datagram.writeUInt16BE(value & 0xffff, 2);
    return datagram;
  }

  async #exchange(value: number, datagram: Buffer, timeout: number): Promise<number | undefined> {
    const limit = new AbortController();
    const answer = new Promise<number | undefined>((answered) => {
      this.#waiting = { value, answered };
    });
    this.#socket.send(datagram);
    const code = await Promise.race([
      answer,
      delay(timeout, undefined, { signal: limit.signal }).catch(() => undefined),
    ]);
    limit.abort();
    this.#waiting = undefined;
    return code;
  }

  #receive(datagram: Buffer): void {
    const code = datagram[1] ?? 0;
    if (datagram.length < 4 || code === 0) return;
    if (typeOf(datagram) === CON) this.#socket.send(empty(ACK, datagram.readUInt16BE(2)));
    const ours = datagram.length >= 8 && datagram.readUInt32BE(4) === this.#waiting?.value;
    if (ours) this.#waiting?.answered(code);
  }
}
