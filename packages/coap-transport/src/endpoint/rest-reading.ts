import type { Millis } from '@tandem/core';
import type { ObservePorts } from './observe-ports';
import type { PeerState } from './peer';
import { relationsOf } from './peer-relations';
import type { Relation } from './relation';

/** How long the next notification waits for the first question for the rest of a long one: it leaves with the ACK. */
const GRACE: Millis = 500;
/** The same after a message that is not acknowledged: a round trip lies between (ACK_TIMEOUT). */
const GRACE_UNACKNOWLEDGED: Millis = 2_000;
/** From one question to the next: one that is lost is repeated after 2 to 3 s. */
const PAUSE: Millis = 3_500;
/** However eagerly the rest is read: what has waited so long is sent. */
const LIMIT: Millis = 30_000;

/**
 * While somebody reads the rest of a long notification the next one of its relation waits, which might take its place there
 * (RFC 7959 section 2.6).
 */
export class RestReading {
  constructor(
    private readonly ports: Pick<ObservePorts, 'now' | 'release' | 'wheel'>,
    /** The next one may go. */
    private readonly done: (relation: Relation) => void,
  ) {}

  /** What has been sent has arrived. */
  acknowledged(relation: Relation): void {
    this.#settle(relation, GRACE);
  }

  /** What has been sent has left, and nobody will say whether it arrived. */
  unacknowledged(relation: Relation): void {
    this.#settle(relation, GRACE_UNACKNOWLEDGED);
  }

  /** A later block of what is kept under this key has been sent; `more`: not the last one. */
  read(peer: PeerState, transferKey: string, more: boolean): void {
    for (const relation of relationsOf(peer)) {
      if (relation.transferKey !== transferKey) continue;
      if (!more) this.ports.release(relation);
      if (relation.rest === 'none') continue;
      relation.rest = more ? 'asked' : 'none';
      if (more) this.#stillRead(relation);
      else if (relation.state === 'reading') this.#settle(relation, GRACE);
    }
  }

  /** What has been sent is done with: now the next one, or soon, where it is long and somebody may read the rest of it. */
  #settle(relation: Relation, grace: Millis): void {
    this.ports.wheel.cancel(relation);
    if (relation.rest === 'none') {
      this.done(relation);
      return;
    }
    relation.readableSince = Math.floor(this.ports.now());
    relation.state = 'reading';
    this.ports.wheel.schedule(relation, relation.rest === 'asked' ? PAUSE : grace);
  }

  #stillRead(relation: Relation): void {
    if (relation.state !== 'reading' && relation.state !== 'idle') return;
    const left = relation.readableSince + LIMIT - this.ports.now();
    if (left <= 0) return;
    relation.state = 'reading';
    this.ports.wheel.schedule(relation, Math.min(PAUSE, left));
  }
}
