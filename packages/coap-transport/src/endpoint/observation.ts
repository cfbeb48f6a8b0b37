import type { LogFields, Millis } from '@tandem/core';
import type { Peer } from './peer';
import type { CoapResponse } from './response';

/** What ended a relation. */
export type ObservationEnd =
  /** GET with Observe 1 and the relation's token. */
  | 'deregistered'
  /** The peer answered a notification with a Reset. */
  | 'reset'
  /** A Confirmable notification to this peer was never acknowledged. */
  | 'timeout'
  /** The same peer and token registered again, or were refused when they tried. */
  | 'replaced'
  /** `ObservationHandle.end`. */
  | 'ended'
  /** The endpoint is closing. */
  | 'shutdown'
  /** Never began: there was no room for it. */
  | 'refused';

/** One message to an observer. */
export interface Notification {
  /** Dotted, of class 2. */
  readonly code: string;
  readonly payload?: Buffer | string;
  readonly contentFormat?: number;
  /**
   * Another message was quicker, so this one would have to wait without a bound: it is given back, and `next` is asked again
   * when nothing is outstanding to the peer. Where there is none it waits.
   */
  unsent?(): void;
  /** Handed to the socket for the first time. */
  sent?(): void;
  /** Acknowledged; for a Non-confirmable one, right after `sent`. May follow `lapsed`. */
  delivered?(): void;
  /** From `sent` on; only a Confirmable notification has one. */
  readonly ackTimeout?: Millis;
  /** No acknowledgement within `ackTimeout`. The retransmission goes on: `delivered` or the relation's end follow. */
  lapsed?(): void;
}

/** The endpoint's side of a relation, as its source sees it. */
export interface ObservationHandle {
  /** `next` may have something. Cheap; may be called any number of times, also from within `attach` and `next`. */
  ready(): void;
  /**
   * Ends the relation from the server's side. `final` is sent without an Observe option, in the message type of the
   * registration (RFC 7641 section 4.2). `closed('ended')` is called before this returns.
   */
  end(final?: CoapResponse): void;
}

/** What is observed. Made by the handler for one registration; no two relations share one. */
export interface ObservationSource {
  /** What log lines say of it besides the peer: whose observation it is. */
  readonly about?: LogFields;
  /** Once, after the registration's response has been handed to the socket. */
  attach(relation: ObservationHandle): void;
  /**
   * Pulled after `ready`, and after each notification until there is none: never while a Confirmable one to this peer
   * is outstanding, so whatever piles up can be merged. A notification returned here is sent once; when the relation
   * ends before that, only `closed` is called. A rejection is logged and `next` is asked again after 5 s.
   */
  next(): Promise<Notification | undefined> | Notification | undefined;
  /** Exactly once, whatever ended the relation, also when `attach` was never called. */
  closed(reason: ObservationEnd): void;
}

/** An observation as an operator sees it. */
export interface ObservationInfo {
  readonly source: ObservationSource;
  readonly peer: Peer;
  /** The CoAP token in hexadecimal. */
  readonly token: string;
  /** As registered. */
  readonly confirmable: boolean;
  /** Observe option of the last message. */
  readonly number: number;
  /** `idle`, `queued`, `parked`, `pulling` or `outstanding`: see `RelationState`. */
  readonly state: string;
  /** Sent since the registration. */
  readonly notifications: number;
  /** Whole seconds since the registration. */
  readonly age: number;
  /** Whole seconds since a notification was last acknowledged. */
  readonly sinceAcknowledged: number | undefined;
  /** Of the peer, smoothed. */
  readonly roundTrip: Millis | undefined;
}
