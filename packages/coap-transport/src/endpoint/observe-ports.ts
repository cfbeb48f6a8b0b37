import type { Logger, Millis } from '@tandem/core';
import type { OutgoingMessage } from './encoder';
import type { DropReason } from './guard';
import type { PeerState } from './peer';
import type { Relation } from './relation';
import type { Reliability } from './reliability';
import type { TimerWheel } from './timer-wheel';

export interface ObserveSettings {
  readonly maxObservations: number;
  readonly maxObservationsPerPeer: number;
  /** See `NonPacing`. */
  readonly nonBurst: number;
}

export interface ObservePorts {
  readonly wheel: TimerWheel;
  readonly reliability: Reliability;
  readonly logger: Logger;
  now(): Millis;
  send(datagram: Buffer, peer: PeerState): void;
  /** Runs `turn` once, after the I/O that is waiting: `setImmediate`. */
  soon(turn: () => void): void;
  /**
   * Cuts a payload that is longer than a block (RFC 7959 section 2.6), and keeps it until `release`. Undefined: there is no
   * memory to keep it.
   */
  fit(relation: Relation, message: OutgoingMessage): OutgoingMessage | undefined;
  /** What was kept for this relation has been read, or is waited for no longer. */
  release(relation: Relation): void;
  dropped(reason: DropReason): void;
}
