import type { Millis } from '@tandem/core';
import type { Notification, ObservationEnd, ObservationHandle, ObservationSource } from './observation';
import type { PeerState } from './peer';
import type { Transmission, TransmissionOwner } from './reliability';
import type { CoapResponse } from './response';
import { TimerEntry } from './timer-wheel';

/**
 * - `idle`: nothing to say.
 * - `queued`: waits for its turn among all relations (pacing).
 * - `parked`: waits until nothing is outstanding to the peer.
 * - `pulling`: its source has been asked.
 * - `outstanding`: a Confirmable notification is on its way.
 * - `reading`: the last message was longer than a block, and the rest of it is being fetched, or may be at any moment.
 */
export type RelationState = 'idle' | 'queued' | 'parked' | 'pulling' | 'outstanding' | 'reading' | 'closed';

/** What a relation asks of the layer that holds it. */
export interface RelationLayer {
  ready(relation: Relation): void;
  end(relation: Relation, final: CoapResponse | undefined): void;
  transmitted(relation: Relation): void;
  acknowledged(relation: Relation): void;
  rejected(relation: Relation): void;
  timedOut(relation: Relation): void;
  expired(relation: Relation): void;
}

/** Of `acknowledgedAt`. */
export const NEVER = -1;
/** How many message ids of Non-confirmable notifications a Reset can still refer to. */
const REMEMBERED_IDS = 16;

/** One observer of one resource, known by (peer, token) (RFC 7641 section 4.1). Behaviour is in `ObserveLayer`. */
export class Relation extends TimerEntry implements ObservationHandle, TransmissionOwner {
  state: RelationState = 'idle';
  /** `ready` was called while it could not be acted upon. */
  dirty = false;
  /** Of the last message: `unasked` and `asked` where it was the first block of a longer one that is not fetched whole. */
  rest: 'none' | 'unasked' | 'asked' = 'none';
  /** When the last message was done with, where it was such a one. */
  readableSince: Millis = 0;
  /** Observe option of the last message, 24 bits. */
  number = 0;
  /** Notifications sent, without the answer to the registration and without repetitions. */
  notifications = 0;
  /** When a notification was last acknowledged, in whole seconds of the monotonic clock; or `NEVER`. */
  acknowledgedAt = NEVER;
  /** When one last left as a Confirmable message; at first, when it was registered. */
  lastConfirmable: Millis;
  transmission: Transmission | undefined = undefined;
  notification: Notification | undefined = undefined;
  /** See `findRelation`. */
  nextOfPeer: Relation | undefined = undefined;
  /** Under which later blocks of a notification are asked for. */
  readonly transferKey: string;
  /** In whole seconds of the monotonic clock. */
  readonly registeredAt: number;
  #nonIds: number[] | undefined = undefined;

  constructor(
    readonly layer: RelationLayer,
    readonly peer: PeerState,
    /** The token in hexadecimal. */
    readonly tokenKey: string,
    readonly confirmable: boolean,
    readonly source: ObservationSource,
    transferKey: string,
    /** Whose credentials the registration had. */
    readonly owner: string,
    /** The largest block the client wants. */
    readonly exponent: number,
    now: Millis,
  ) {
    super();
    this.transferKey = flat(transferKey);
    this.lastConfirmable = Math.floor(now);
    this.registeredAt = Math.floor(now / 1000);
  }

  ready(): void {
    this.layer.ready(this);
  }

  end(final?: CoapResponse): void {
    this.layer.end(this, final);
  }

  transmitted(): void {
    this.layer.transmitted(this);
  }

  acknowledged(): void {
    this.layer.acknowledged(this);
  }

  rejected(): void {
    this.layer.rejected(this);
  }

  timedOut(): void {
    this.layer.timedOut(this);
  }

  override expire(): void {
    this.layer.expired(this);
  }

  rememberNonId(messageId: number): void {
    this.#nonIds ??= [];
    if (this.#nonIds.length >= REMEMBERED_IDS) this.#nonIds.shift();
    this.#nonIds.push(messageId);
  }

  sentNonId(messageId: number): boolean {
    return this.#nonIds?.includes(messageId) ?? false;
  }

  close(reason: ObservationEnd): void {
    this.state = 'closed';
    this.source.closed(reason);
  }
}

/** Put together out of pieces, a text keeps all of them. */
function flat(pieces: string): string {
  return Buffer.from(pieces, 'latin1').toString('latin1');
}
