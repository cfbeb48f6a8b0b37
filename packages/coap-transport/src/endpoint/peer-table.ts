import { PeerState } from './peer';
import { hashSource, PeerMap } from './peer-map';

/** Peers in two generations, so that the less recently seen half is forgotten at once; busy ones never are. */
class Generations {
  #recent = new PeerMap();
  #older = new PeerMap();
  #added = 0;

  /** `leaves`: told of a peer before it is forgotten; true keeps it. */
  constructor(
    private readonly maxAdded: number,
    private readonly leaves: (peer: PeerState) => boolean,
  ) {}

  get size(): number {
    return this.#recent.size + this.#older.size;
  }

  recent(hash: number, address: string, port: number, session: object | undefined): PeerState | undefined {
    return this.#recent.get(hash, address, port, session);
  }

  /** Takes a peer out, wherever it is. */
  take(hash: number, address: string, port: number, session: object | undefined): PeerState | undefined {
    for (const generation of [this.#recent, this.#older]) {
      const peer = generation.get(hash, address, port, session);
      if (peer === undefined) continue;
      generation.delete(peer);
      return peer;
    }
    return undefined;
  }

  add(peer: PeerState): void {
    this.#recent.add(peer);
    if (++this.#added >= this.maxAdded) this.#turn();
  }

  #turn(): void {
    const leaving = this.#older;
    this.#older = this.#recent;
    this.#recent = new PeerMap();
    this.#added = 0;
    for (const peer of leaving.drain()) if (this.leaves(peer)) this.#recent.add(peer);
  }
}

/**
 * The peers by address. Bounded: busy ones are kept as long as they are busy, and the budgets of the other layers bound how
 * many those are; of idle ones those not seen for longest are forgotten. Peers that never had valid credentials have a
 * quarter of the room for themselves, so that however many of them come by, what is known of devices stays: that they
 * had, and the proof of their address.
 */
export class PeerTable {
  readonly #devices: Generations;
  readonly #strangers: Generations;
  readonly #sessions = new WeakMap<object, number>();
  #sessionCount = 0;
  readonly #seed: number;

  /** `seed`: 32 random bits, so that nobody can choose addresses that collide. */
  constructor(maxIdle: number, seed: number) {
    const eighth = maxIdle / 8;
    this.#devices = new Generations(Math.max(1, Math.floor(3 * eighth)), (peer) => peer.busy);
    this.#strangers = new Generations(Math.max(1, Math.floor(eighth)), (peer) => {
      if (!peer.authenticated) return peer.busy;
      this.#devices.add(peer);
      return false;
    });
    this.#seed = seed;
  }

  get(address: string, port: number, session: object | undefined): PeerState {
    const number = session === undefined ? 0 : this.#sessionNumber(session);
    const hash = hashSource(address, port, number, this.#seed);
    const device = this.#devices.recent(hash, address, port, session);
    if (device !== undefined) return device;
    const stranger = this.#strangers.recent(hash, address, port, session);
    if (stranger !== undefined && !stranger.authenticated) return stranger;
    const peer =
      this.#strangers.take(hash, address, port, session) ??
      this.#devices.take(hash, address, port, session) ??
      this.#appeared(hash, address, port, session, number);
    (peer.authenticated ? this.#devices : this.#strangers).add(peer);
    return peer;
  }

  /** Forgets the peer of a session that is over, where it is remembered. @returns who that was */
  take(address: string, port: number, session: object): PeerState | undefined {
    const number = this.#sessions.get(session);
    if (number === undefined) return undefined;
    const hash = hashSource(address, port, number, this.#seed);
    return this.#strangers.take(hash, address, port, session) ?? this.#devices.take(hash, address, port, session);
  }

  #appeared(hash: number, address: string, port: number, session: object | undefined, number: number): PeerState {
    const key = session === undefined ? `${address}:${port}` : `${address}:${port}#${number}`;
    const peer = new PeerState(key, address, port, session, this.#seed);
    peer.mapHash = hash;
    return peer;
  }

  get size(): number {
    return this.#devices.size + this.#strangers.size;
  }

  #sessionNumber(session: object): number {
    let number = this.#sessions.get(session);
    if (number === undefined) {
      number = ++this.#sessionCount;
      this.#sessions.set(session, number);
    }
    return number;
  }
}
