import type { Millis, Timer } from '@tandem/core';
import type { DtlsConnection, PeerIdentity } from './engine';

/** Why a session is no more. */
export type SessionEndReason = 'closed_by_peer' | 'replaced' | 'idle' | 'evicted' | 'revoked' | 'shutdown' | 'broken';

/** An open DTLS session. The endpoint takes each for a peer of its own, whatever address it is at (RFC 7252 section 9.1). */
export class DtlsSession {
  lastHeard: Millis;
  ended = false;

  /** @param end closes it */
  constructor(
    readonly address: string,
    readonly port: number,
    readonly identity: PeerIdentity,
    readonly connection: DtlsConnection,
    now: Millis,
    private readonly end: (session: DtlsSession, reason: SessionEndReason) => void,
  ) {
    this.lastHeard = now;
  }

  /** Tells the peer, and ends all that the session holds. */
  close(reason: SessionEndReason): void {
    this.end(this, reason);
  }
}

/** A handshake whose client has proved its address. */
export interface Handshake {
  readonly address: string;
  readonly port: number;
  readonly connection: DtlsConnection;
  /** See `clientRandom`. */
  readonly random: string;
  /** Until the last flight is sent again. */
  retransmission: Timer | undefined;
  readonly deadline: Timer;
}
