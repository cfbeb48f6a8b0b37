import type { Exchange } from './exchange';
import type { MessageIds } from './message-ids';
import type { Relation } from './relation';
import type { Transmission } from './reliability';
import type { Destination } from './udp-socket';

/** A CoAP endpoint on the other side: an address and port, under a secured socket also one security session. */
export interface Peer extends Destination {
  /** Unique per address, port and session. */
  readonly key: string;
}

/** What the layers know about a peer. All but the address appears only when there is something to know. */
export class PeerState implements Peer {
  readonly keyBytes: Buffer;
  /** Seeded 32-bit hash of `key`. */
  readonly hash: number;
  /** Head of the list of requests of this peer that are running. */
  running: Exchange | undefined = undefined;
  runningCount = 0;
  messageIds: MessageIds | undefined = undefined;
  /** Our Confirmable message that is not acknowledged yet: NSTART is 1. */
  outstanding: Transmission | undefined = undefined;
  queue: Transmission[] | undefined = undefined;
  /** Relations that have something to say as soon as nothing is outstanding. */
  parked: Relation[] | undefined = undefined;
  /** By token in hexadecimal. */
  relations: Map<string, Relation> | undefined = undefined;
  /** A request from here had valid credentials. */
  authenticated = false;
  uploadCount = 0;
  uploadBytes = 0;
  /** The Uri-Path options of the last request as they were on the wire, and what they say. */
  pathBytes: Buffer | undefined = undefined;
  path: readonly string[] = [];

  constructor(
    readonly key: string,
    readonly address: string,
    readonly port: number,
    readonly session: object | undefined,
    seed: number,
  ) {
    this.keyBytes = Buffer.from(key, 'latin1');
    this.hash = hashBytes(this.keyBytes, 0, this.keyBytes.length, seed);
  }

  /** Whether forgetting this peer would break something that is going on. */
  get busy(): boolean {
    return (
      this.running !== undefined ||
      this.outstanding !== undefined ||
      this.uploadCount > 0 ||
      (this.relations !== undefined && this.relations.size > 0)
    );
  }
}

/** FNV-1a over a part of `bytes`, started from a seed. */
export function hashBytes(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = seed | 0;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  return hash;
}

/**
 * The peers by address. Bounded: idle ones are kept in two generations, so that the less recently seen half goes
 * first; busy ones are kept as long as they are busy, and the budgets of the other layers bound how many those are.
 */
export class PeerTable {
  #recent = new Map<string, PeerState>();
  #older = new Map<string, PeerState>();
  #busy = new Map<string, PeerState>();
  readonly #sessions = new WeakMap<object, number>();
  #sessionCount = 0;
  readonly #generation: number;
  readonly #seed: number;

  /** `seed`: 32 random bits, so that nobody can choose addresses that collide. */
  constructor(maxIdle: number, seed: number) {
    this.#generation = Math.max(1, maxIdle >> 1);
    this.#seed = seed;
  }

  get(address: string, port: number, session: object | undefined): PeerState {
    let key = `${address}:${port}`;
    if (session !== undefined) key += `#${this.#sessionNumber(session)}`;
    const recent = this.#recent.get(key);
    if (recent !== undefined) return recent;
    const known = this.#older.get(key) ?? this.#busy.get(key);
    const peer = known ?? new PeerState(key, address, port, session, this.#seed);
    if (known !== undefined) {
      this.#older.delete(key);
      this.#busy.delete(key);
    }
    this.#recent.set(key, peer);
    if (this.#recent.size >= this.#generation) this.#turn();
    return peer;
  }

  get size(): number {
    return this.#recent.size + this.#older.size + this.#busy.size;
  }

  #sessionNumber(session: object): number {
    let number = this.#sessions.get(session);
    if (number === undefined) {
      number = ++this.#sessionCount;
      this.#sessions.set(session, number);
    }
    return number;
  }

  #turn(): void {
    for (const [key, peer] of this.#busy) if (!peer.busy) this.#busy.delete(key);
    for (const [key, peer] of this.#older) if (peer.busy) this.#busy.set(key, peer);
    this.#older = this.#recent;
    this.#recent = new Map();
  }
}
