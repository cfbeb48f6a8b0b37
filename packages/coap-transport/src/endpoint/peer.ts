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
  /** Seeded 32-bit hash of `key`. */
  readonly hash: number;
  /** Head of the list of requests of this peer that are running. */
  running: Exchange | undefined = undefined;
  runningCount = 0;
  /** Our Confirmable message that is not acknowledged yet: NSTART is 1. */
  outstanding: Transmission | undefined = undefined;
  queue: Transmission[] | undefined = undefined;
  /** The relation that had to give its notification back, and speaks before the others. */
  claimant: Relation | undefined = undefined;
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
  /** For `PeerMap` only. */
  mapHash = 0;
  mapNext: PeerState | undefined = undefined;
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
    this.hash = hashText(key, seed);
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

/** FNV-1a over a text of Latin-1 characters, started from a seed. */
export function hashText(text: string, seed: number): number {
  let hash = seed | 0;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash;
}
