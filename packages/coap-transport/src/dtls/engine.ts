import type { ClientTrust, CredentialsStamp, EpochMillis, KeyMaterial, Millis } from '@tandem/core';
import type { HandshakeFailure } from './handshake-failure';
import type { TicketKey } from './ticket-keys';

/** Raw DER of certificates, as the client sent them: its own first. */
export type CertificateChain = readonly Buffer[];

/** What decides about a handshake while the engine runs it. Asked synchronously; must not throw. */
export interface HandshakePolicy {
  /** The cookie of a client at this address now (RFC 6347 section 4.2.1). */
  cookie(peer: string): Buffer;
  /** Whether a client at this address was given this cookie a short while ago. */
  isCookie(peer: string, cookie: Buffer): boolean;
  /**
   * What these stand for that a client has presented. That it has the key of the first one the engine checks itself; a trust
   * store has been asked before, where there is one. Refused, they end the handshake: alert bad_certificate.
   */
  acceptsCertificates(chain: CertificateChain): AcceptedCertificates | RefusedCertificates;
  /** Whether a session with these goes on, and may be resumed, without showing them again. */
  stillAccepts(accepted: Pick<AcceptedCertificates, 'until'>): boolean;
  /** What tickets are sealed with now; undefined: none are given. */
  ticketKey(): TicketKey | undefined;
  /** What a ticket that names it was sealed with; undefined: the client has to make a full handshake. */
  ticketKeyNamed(name: Buffer): TicketKey | undefined;
}

/** What is left of a chain of certificates once it has been looked at. */
export interface AcceptedCertificates {
  /** Ids of credentials that it may stand for, to be tried in this order. Empty: none was presented. */
  readonly ids: readonly string[];
  /** The last moment at which all of those are valid. */
  readonly until: EpochMillis;
}

export interface RefusedCertificates {
  readonly refused: HandshakeFailure;
}

/** The key for a client that names this identity (RFC 4279). */
export interface OfferedKey {
  readonly identity: string;
  readonly key: Buffer;
  /** Whose it is. Undefined: nobody's, and so one that no client has. */
  readonly credentials: CredentialsStamp | undefined;
}

export interface DtlsContextOptions {
  readonly material: KeyMaterial;
  readonly clientTrust: ClientTrust | undefined;
  /** Whether certificates of clients are taken that are not valid now. */
  readonly skipValidity: boolean;
  /** Whether suites with AES-128-CCM-8 are offered (RFC 7252 section 9.1.3). */
  readonly ccm8: boolean;
  readonly psk: boolean;
  /** Bytes of a datagram of a handshake. */
  readonly mtu: number;
  /** Seconds in which a session can be resumed; 0: never. */
  readonly resumptionTime: number;
  readonly policy: HandshakePolicy;
}

/** The cryptography of DTLS 1.2: a maintained library, never code of ours. */
export interface DtlsEngine {
  /** @throws Error in one line when the material is none */
  createContext(options: DtlsContextOptions): DtlsContext;
}

export interface DtlsContext {
  createConnection(): DtlsConnection;
  /** Connections made by it go on. */
  free(): void;
}

/** Who is on the other side, once the handshake is done. */
export interface PeerIdentity {
  /** Also of a resumed session. Empty: none was presented. */
  readonly certificateIds: readonly string[];
  /** The last moment at which all of those are valid. */
  readonly until: EpochMillis;
  /** Undefined: it is not by a pre-shared key. Such a session is never resumed: its key may be another one by now. */
  readonly preSharedKey: Pick<OfferedKey, 'identity' | 'credentials'> | undefined;
  readonly resumed: boolean;
}

/** One side of one DTLS session. What it has to send gathers in it until `drain`. Nothing may be called after `free`. */
export interface DtlsConnection {
  /**
   * A ClientHello of somebody who has no session (`DTLSv1_listen`).
   * - `proved`: it has a cookie of that address; this connection is the session from now on: `handshake` goes on;
   * - `unproved`: what is in `drain` sends the client a cookie, nothing is remembered;
   * - `failed`: this connection is spent.
   */
  listen(peer: string, datagram: Buffer): 'proved' | 'unproved' | 'failed';
  /** Whether the client is to name the identity of a pre-shared key next, or just has. */
  readonly wantsKey: boolean;
  /** To be called before the datagram in which it names it; else, and for any other identity, it has a wrong key. */
  offerKey(key: OfferedKey): void;
  /** Why the handshake has failed or, with a key that is wrong, cannot but time out. */
  readonly refusal: HandshakeFailure | undefined;
  /** One datagram of the handshake or, undefined, none: goes on as far as it can. */
  handshake(datagram?: Buffer): 'done' | 'waiting' | 'failed';
  /** Why it has failed, in the words of the engine; nothing in it is secret. */
  readonly failure: string;
  /**
   * One datagram of an open session or, undefined, what came before the handshake was done; calls back for each message in
   * it, which may close this connection. Whatever is forged, repeated or broken is silently dropped (RFC 6347 section 4.1.2.7).
   * - `closed`: by the peer;
   * - `broken`: it cannot go on.
   */
  receive(datagram: Buffer | undefined, message: (bytes: Buffer) => void): 'open' | 'closed' | 'broken';
  /** @returns false when nothing can be sent any more */
  send(message: Buffer): boolean;
  /** Says close_notify. */
  close(): void;
  /** Hands over what is to be sent, a datagram each. */
  drain(send: (datagram: Buffer) => void): void;
  /** Until the last flight has to be sent again; undefined: nothing waits (RFC 6347 section 4.2.4). */
  retransmitIn(): Millis | undefined;
  /** That time has come. @returns false: too often */
  retransmit(): boolean;
  /** Of a finished handshake. */
  identity(): PeerIdentity;
  free(): void;
}
