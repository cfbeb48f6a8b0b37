import type { Millis } from '@tandem/core';
import type { Exchange } from './exchange';
import type { NonPacing } from './non-pacing';
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
  /** Our Confirmable message that is not acknowledged yet: NSTART is 1. */
  outstanding: Transmission | undefined = undefined;
  queue: Transmission[] | undefined = undefined;
  /** Relations that have something to say as soon as nothing is outstanding. */
  parked: Relation[] | undefined = undefined;
  /** The newest of them, see `findRelation`. */
  relations: Relation | undefined = undefined;
  /** Smoothed time from a notification to its acknowledgement; -1 while none has been measured. */
  roundTrip: Millis = -1;
  /** While there is a Non-confirmable observer. */
  pacing: NonPacing | undefined = undefined;
  /** A request from here had valid credentials. */
  authenticated = false;
  /** Until then the peer counts as one that receives what is sent to its address (`EchoProofs`). */
  provedUntil: Millis = 0;
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
    this.keyBytes = keepBytes(key);
    this.hash = hashBytes(this.keyBytes, 0, this.keyBytes.length, seed);
  }

  /** Whether forgetting this peer would break something that is going on. */
  get busy(): boolean {
    return (
      this.running !== undefined ||
      this.outstanding !== undefined ||
      this.uploadCount > 0 ||
      this.relations !== undefined
    );
  }
}

/** Slabs are small, since one peer that stays keeps all of its slab. */
const SLAB = 1024;
let slab = Buffer.alloc(0);
let used = 0;

/**
 * The bytes of a text, in a slab with others of their kind: in Node's own pool they would keep alive what was received and
 * sent beside them.
 */
function keepBytes(text: string): Buffer {
  if (text.length > SLAB) return Buffer.from(text, 'latin1');
  if (used + text.length > slab.length) {
    slab = Buffer.allocUnsafeSlow(SLAB);
    used = 0;
  }
  const start = used;
  used += slab.write(text, start, 'latin1');
  return slab.subarray(start, used);
}

/** FNV-1a over a part of `bytes`, started from a seed. */
export function hashBytes(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = seed | 0;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  return hash;
}

/** Peers in two generations, so that the less recently seen half is forgotten at once; busy ones never are. */
class Generations {
  #recent = new Map<string, PeerState>();
  #older = new Map<string, PeerState>();
  #added = 0;

  /** `leaves`: told of a peer before it is forgotten; true keeps it. */
  constructor(
    private readonly maxAdded: number,
    private readonly leaves: (key: string, peer: PeerState) => boolean,
  ) {}

  get size(): number {
    return this.#recent.size + this.#older.size;
  }

  recent(key: string): PeerState | undefined {
    return this.#recent.get(key);
  }

  /** Takes a peer out, wherever it is. */
  take(key: string): PeerState | undefined {
    const peer = this.#recent.get(key) ?? this.#older.get(key);
    if (peer !== undefined && !this.#recent.delete(key)) this.#older.delete(key);
    return peer;
  }

  add(key: string, peer: PeerState): void {
    this.#recent.set(key, peer);
    if (++this.#added >= this.maxAdded) this.#turn();
  }

  #turn(): void {
    const leaving = this.#older;
    this.#older = this.#recent;
    this.#recent = new Map();
    this.#added = 0;
    for (const [key, peer] of leaving) if (this.leaves(key, peer)) this.#recent.set(key, peer);
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
    this.#devices = new Generations(Math.max(1, Math.floor(3 * eighth)), (_key, peer) => peer.busy);
    this.#strangers = new Generations(Math.max(1, Math.floor(eighth)), (key, peer) => {
      if (!peer.authenticated) return peer.busy;
      this.#devices.add(key, peer);
      return false;
    });
    this.#seed = seed;
  }

  get(address: string, port: number, session: object | undefined): PeerState {
    let key = `${address}:${port}`;
    if (session !== undefined) key += `#${this.#sessionNumber(session)}`;
    const device = this.#devices.recent(key);
    if (device !== undefined) return device;
    const stranger = this.#strangers.recent(key);
    if (stranger !== undefined && !stranger.authenticated) return stranger;
    const peer =
      this.#strangers.take(key) ?? this.#devices.take(key) ?? new PeerState(key, address, port, session, this.#seed);
    (peer.authenticated ? this.#devices : this.#strangers).add(key, peer);
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
