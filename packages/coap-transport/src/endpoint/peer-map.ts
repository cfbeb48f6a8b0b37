import type { PeerState } from './peer';

const FIRST_SIZE = 64;

/**
 * A seeded hash of where a datagram comes from, for `PeerMap`.
 * @param session number of the security session, 0 where there is none
 */
export function hashSource(address: string, port: number, session: number, seed: number): number {
  let hash = Math.imul(seed ^ port ^ (session << 16), 0x01000193);
  for (let at = 0; at < address.length; at++) hash = Math.imul(hash ^ address.charCodeAt(at), 0x01000193);
  return hash ^ (hash >>> 15);
}

/**
 * Peers by address, port and session, chained through themselves: to look one up takes no key, which would have to be joined of
 * its parts for every datagram. A peer is in one such map at a time, and in each of them once.
 */
export class PeerMap {
  #heads: (PeerState | undefined)[] = new Array(FIRST_SIZE).fill(undefined);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @param hash that of `hashSource` */
  get(hash: number, address: string, port: number, session: object | undefined): PeerState | undefined {
    let peer = this.#heads[hash & (this.#heads.length - 1)];
    while (peer !== undefined) {
      if (peer.mapHash === hash && peer.port === port && peer.address === address && peer.session === session)
        return peer;
      peer = peer.mapNext;
    }
    return undefined;
  }

  /** @param peer with its `mapHash`; one that is in no map */
  add(peer: PeerState): void {
    if (this.#size >= this.#heads.length) this.#grow();
    this.#link(peer);
    this.#size++;
  }

  /** @returns false when it is not in this map */
  delete(peer: PeerState): boolean {
    const slot = peer.mapHash & (this.#heads.length - 1);
    let before: PeerState | undefined;
    for (let at = this.#heads[slot]; at !== undefined; at = at.mapNext) {
      if (at === peer) {
        if (before === undefined) this.#heads[slot] = peer.mapNext;
        else before.mapNext = peer.mapNext;
        peer.mapNext = undefined;
        this.#size--;
        return true;
      }
      before = at;
    }
    return false;
  }

  /** All peers, after which this map is empty, so that they may be put into others. */
  *drain(): Generator<PeerState> {
    const heads = this.#heads;
    this.#heads = new Array(FIRST_SIZE).fill(undefined);
    this.#size = 0;
    for (const head of heads) {
      let peer = head;
      while (peer !== undefined) {
        const next: PeerState | undefined = peer.mapNext;
        peer.mapNext = undefined;
        yield peer;
        peer = next;
      }
    }
  }

  #grow(): void {
    const heads = this.#heads;
    this.#heads = new Array(2 * heads.length).fill(undefined);
    for (const head of heads) {
      let peer = head;
      while (peer !== undefined) {
        const next: PeerState | undefined = peer.mapNext;
        this.#link(peer);
        peer = next;
      }
    }
  }

  #link(peer: PeerState): void {
    const slot = peer.mapHash & (this.#heads.length - 1);
    peer.mapNext = this.#heads[slot];
    this.#heads[slot] = peer;
  }
}
