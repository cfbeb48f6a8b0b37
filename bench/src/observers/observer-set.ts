import { concurrently } from '../concurrently';
import { ObserverPeer } from './observer-peer';
import { sharedMicros } from './shared-clock';

/** Requests outstanding at the same time, each from a port of its own. */
const REQUESTS_AT_ONCE = 64;
/** So long the last notification may take to come: beyond every retransmission time-out that would bring it still. */
const NOTIFICATION_LIMIT_MS = 60_000;

export interface ObserverSetOptions {
  readonly host: string;
  readonly port: number;
  /** Address that all of them send from. */
  readonly source: string;
  /** Access tokens of the devices, each of which is observed from a port of its own. */
  readonly tokens: readonly string[];
}

/** What became of one write to each observed device. */
export interface Notified {
  /** Observers that got the expected notification and acknowledged it. */
  readonly notified: number;
  /** Notifications beyond the one that each was to get, or with something else in them. */
  readonly surplus: number;
  /** When the last acknowledgement left, `sharedMicros`. */
  readonly lastMicros: number;
}

/** Observers of one process. */
export class ObserverSet {
  readonly #options: ObserverSetOptions;
  readonly #peers: ObserverPeer[] = [];
  readonly #readers: ObserverPeer[] = [];
  readonly #told = new Set<ObserverPeer>();
  #expected: Buffer = Buffer.alloc(0);
  #surplus = 0;
  #lastMicros = 0;
  #allTold: () => void = () => undefined;

  constructor(options: ObserverSetOptions) {
    this.#options = options;
  }

  /**
   * Every device reads its attributes `times` times, from a few ports. They stay open: an observer that got one of them
   * could repeat a message id, and a server would rightly take it for a duplicate.
   */
  async read(times: number): Promise<void> {
    const devices = this.#options.tokens.flatMap((token) => Array<string>(times).fill(token));
    const free: ObserverPeer[] = [];
    for (let i = 0; i < REQUESTS_AT_ONCE; i += 1) free.push(await this.#open());
    this.#readers.push(...free);
    await concurrently(devices, REQUESTS_AT_ONCE, async (token) => {
      const peer = free.pop();
      if (peer === undefined) throw new RangeError('more requests at once than ports');
      await peer.read(token);
      free.push(peer);
    });
  }

  async register(): Promise<void> {
    await concurrently(this.#options.tokens, REQUESTS_AT_ONCE, async (token) => {
      const peer = await this.#open();
      this.#peers.push(peer);
      await peer.register(token);
    });
  }

  /** From now on every observer is to get one notification with this payload. */
  expect(payload: string): void {
    this.#told.clear();
    this.#surplus = 0;
    this.#expected = Buffer.from(payload);
  }

  /** What has come, once every observer has been notified or the last one is overdue. */
  async outcome(): Promise<Notified> {
    if (this.#told.size < this.#peers.length) {
      await new Promise<void>((resolve) => {
        const limit = setTimeout(resolve, NOTIFICATION_LIMIT_MS);
        this.#allTold = () => {
          clearTimeout(limit);
          resolve();
        };
      });
    }
    return { notified: this.#told.size, surplus: this.#surplus, lastMicros: this.#lastMicros };
  }

  close(): void {
    for (const peer of [...this.#peers, ...this.#readers]) peer.close();
  }

  #open(): Promise<ObserverPeer> {
    const { host, port, source } = this.#options;
    return ObserverPeer.open({ host, port, source, notified: (datagram, peer) => this.#notified(datagram, peer) });
  }

  #notified(datagram: Buffer, peer: ObserverPeer): void {
    const expected = this.#expected;
    if (this.#told.has(peer) || !datagram.subarray(-expected.length).equals(expected)) {
      this.#surplus += 1;
      return;
    }
    this.#told.add(peer);
    this.#lastMicros = sharedMicros();
    if (this.#told.size === this.#peers.length) this.#allTold();
  }
}
