import type { LabelValue, Millis, Timer } from '@tandem/core';
import type { Destination } from '../endpoint/index';
import type { DtlsConnection, PeerIdentity } from './engine';
import type { Membership } from './roster';
import type { Task } from './turns';

/** Why a session is no more. */
export type SessionEndReason = LabelValue<'tandem_dtls_sessions_ended_total', 'reason'>;

export interface DtlsSessionPorts {
  /** A device is known of it. */
  known(session: DtlsSession): void;
  received(session: DtlsSession, message: Buffer): void;
  send(session: DtlsSession, datagram: Buffer): void;
  end(session: DtlsSession, reason: SessionEndReason): void;
}

/** An open DTLS session. The endpoint takes each for a peer of its own, whatever address it is at (RFC 7252 section 9.1). */
export class DtlsSession {
  /** When something came that only the peer can have sent. */
  lastHeard: Millis;
  /** Messages received in it. */
  messages = 0;
  ended = false;
  /** Called once, when it is over. */
  onEnd: (() => void) | undefined = undefined;
  /** Whether a device is known of it: by its key, or because a request in it had valid credentials. */
  isDevices: boolean;
  /** See `Believed`. */
  generation = 0;
  /** For `Sessions`. */
  key = '';
  membership: Membership<DtlsSession> | undefined;
  /** Hands over what was received in it, and what is to be sent. */
  readonly received: (message: Buffer) => void;
  readonly outgoing: (datagram: Buffer) => void;

  constructor(
    readonly address: string,
    readonly port: number,
    readonly identity: PeerIdentity,
    readonly connection: DtlsConnection,
    now: Millis,
    private readonly ports: DtlsSessionPorts,
  ) {
    this.lastHeard = now;
    this.isDevices = identity.preSharedKey?.credentials !== undefined;
    this.received = (message) => ports.received(this, message);
    this.outgoing = (datagram) => ports.send(this, datagram);
  }

  /** Where what is sent in it goes. */
  get destination(): Destination {
    return { address: this.address, port: this.port, session: this };
  }

  /** A request in it had valid credentials. */
  known(): void {
    if (!this.isDevices) this.ports.known(this);
  }

  /** Tells the peer, and ends all that the session holds. */
  close(reason: SessionEndReason): void {
    this.ports.end(this, reason);
  }
}

/** A handshake whose client has proved its address. */
export interface Handshake extends Task {
  readonly address: string;
  readonly port: number;
  readonly connection: DtlsConnection;
  /** Where it is found: `keyOf` its address and port. */
  readonly key: string;
  /** See `clientRandom`. */
  readonly random: string;
  /** Datagrams that wait for their turn. */
  readonly inbox: Buffer[];
  /** See `Believed`: as of its beginning. */
  readonly generation: number;
  /** Whether the server has said anything yet. */
  begun: boolean;
  /** How often its last flight was sent again while nothing came. */
  repeats: number;
  /** Whether the client has gone on after that. */
  heard: boolean;
  /** Whether it has been told why it leads to nothing. */
  refused: boolean;
  /** Whether it waits for something that is looked up. */
  held: boolean;
  ended: boolean;
  /** Until the last flight is sent again. */
  retransmission: Timer | undefined;
  deadline: Timer | undefined;
  membership: Membership<Handshake> | undefined;
}
