import type { Millis } from '@tandem/core';

export type Bytes = number;

/** What can be set about an endpoint. All budgets are hard: what does not fit is refused, never stored. */
export interface EndpointSettings {
  /** COAP_PIGGYBACK_TIMEOUT: an answer that takes longer follows as a separate response (contract 2.9). */
  readonly piggybackTimeout: Millis;
  /** A request that is still running after this is answered 5.04. */
  readonly handlerTimeout: Millis;
  /** Longer datagrams are rejected (RFC 7252 section 4.6). */
  readonly maxDatagram: Bytes;
  /** Memory of the deduplication window, index included. */
  readonly deduplicationBytes: Bytes;
  /** ACK_TIMEOUT, ACK_RANDOM_FACTOR, MAX_RETRANSMIT (RFC 7252 section 4.8). */
  readonly ackTimeout: Millis;
  readonly ackRandomFactor: number;
  readonly maxRetransmit: number;
  /** Separate responses that wait for one peer's free place (NSTART is 1). */
  readonly maxQueuedPerPeer: number;
  /** Separate responses and final notifications that are unacknowledged, in all. */
  readonly maxUnacknowledged: number;
  /** Requests whose handler is running, in all, and of one peer with valid credentials; beyond: 5.03. */
  readonly maxRunning: number;
  readonly maxRunningPerPeer: number;
  /** The largest block we send or ask for: 0 to 6 for 16 to 1024 bytes (RFC 7959 section 2.2). */
  readonly blockExponent: number;
  /** The largest body put together from Block1 requests; beyond: 4.13. */
  readonly maxBody: Bytes;
  /** Memory of Block1 bodies until they are worked off, of one peer and in all; beyond: 5.03. */
  readonly uploadBytesPerPeer: Bytes;
  readonly uploadBytes: Bytes;
  /** An unfinished body is forgotten so long after its last block. */
  readonly blockLifetime: Millis;
  /** As the four above, of requests without credentials: a source address stands for the peer; beyond: the oldest goes. */
  readonly maxStrangerBody: Bytes;
  readonly strangerBytesPerSource: Bytes;
  readonly strangerBytes: Bytes;
  readonly strangerBlockLifetime: Millis;
  /** Memory of bodies kept for later Block2 requests, of one peer and in all; beyond: the oldest is let go. */
  readonly downloadBytesPerPeer: Bytes;
  readonly downloadBytes: Bytes;
  /** COAP_MAX_OBSERVATIONS, in all and of one peer. */
  readonly maxObservations: number;
  readonly maxObservationsPerPeer: number;
  /** Addresses and ports remembered without any other state about them. */
  readonly maxPeers: number;
  /** Non-confirmable notifications to one observer before a Confirmable one (RFC 7641 section 4.5). */
  readonly nonBurst: number;
  /** COAP_ECHO: whether an address has to prove itself (RFC 9175 section 2.4). */
  readonly echo: boolean;
  /** Per second and source address, see `SourceTable`. */
  readonly sourceReplies: number;
  readonly sourceDatagrams: number;
  readonly maxSources: number;
}

export const DEFAULT_SETTINGS: EndpointSettings = {
  piggybackTimeout: 500,
  handlerTimeout: 65_000,
  maxDatagram: 1280,
  deduplicationBytes: 16 << 20,
  ackTimeout: 2_000,
  ackRandomFactor: 1.5,
  maxRetransmit: 4,
  maxQueuedPerPeer: 32,
  maxUnacknowledged: 8_192,
  maxRunning: 10_000,
  maxRunningPerPeer: 256,
  blockExponent: 6,
  maxBody: 256 << 10,
  uploadBytesPerPeer: 512 << 10,
  uploadBytes: 16 << 20,
  blockLifetime: 300_000,
  maxStrangerBody: 64 << 10,
  strangerBytesPerSource: 256 << 10,
  strangerBytes: 1 << 20,
  strangerBlockLifetime: 60_000,
  downloadBytesPerPeer: 512 << 10,
  downloadBytes: 8 << 20,
  maxObservations: 50_000,
  maxObservationsPerPeer: 16,
  maxPeers: 16_384,
  nonBurst: 8,
  echo: false,
  sourceReplies: 100,
  sourceDatagrams: 0,
  maxSources: 65_536,
};
