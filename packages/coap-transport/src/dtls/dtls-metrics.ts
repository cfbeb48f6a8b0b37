import type { MetricsRegistry } from '@tandem/core';
import { HANDSHAKE_FAILURES, type HandshakeFailure } from './handshake-failure';
import type { SessionEndReason } from './session';

export type DtlsDropReason =
  | 'source_datagrams'
  | 'no_record'
  | 'no_address'
  | 'locked'
  | 'no_session'
  | 'bad_hello'
  | 'repeated_hello'
  | 'queue_full';
const DROPS: Readonly<Record<DtlsDropReason, string>> = {
  source_datagrams: 'more than TANDEM_COAP_SOURCE_DATAGRAMS of one address',
  no_record: 'no record of DTLS',
  no_address: 'from an address that nothing can be sent to',
  locked: 'a ClientHello from an address that is locked out',
  no_session: 'no session at that address',
  bad_hello: 'a ClientHello that is none',
  repeated_hello: 'a ClientHello that has begun a handshake before',
  queue_full: 'too many of one handshake wait',
};
const ENDS: Readonly<Record<SessionEndReason, string>> = {
  closed_by_peer: 'closed by the peer',
  replaced: 'another one at the same address',
  idle: 'nothing was heard of it for too long',
  evicted: 'room was needed for another',
  revoked:
    'its device was deleted or has other credentials now, or those whom certificates have to come from are others',
  expired: 'the certificate that it is by has expired',
  shutdown: 'the gateway was stopped',
  broken: 'it could not go on',
};
/** Why a handshake led to nothing. */
export type HandshakeEndReason = 'failed' | 'timed_out' | 'evicted' | 'replaced' | 'shutdown';
export const HANDSHAKE_ENDS: Readonly<Record<HandshakeEndReason, string>> = {
  failed: 'refused, or broken off by the client',
  timed_out: 'it took too long',
  evicted: 'room was needed for another',
  replaced: 'the client began another one',
  shutdown: 'the gateway was stopped',
};

interface Counter {
  add(): void;
}

export interface DtlsGauges {
  sessions(): number;
  strangers(): number;
  handshakes(): number;
  waiting(): number;
  hellos(): number;
  sources(): number;
}

export class DtlsMetrics {
  readonly handshakes: Counter;
  readonly resumed: Counter;
  readonly cookies: Counter;
  readonly #drops: Readonly<Record<string, Counter>>;
  readonly #ends: Readonly<Record<string, Counter>>;
  readonly #handshakeEnds: Readonly<Record<string, Counter>>;
  readonly #refusals: Readonly<Record<string, Counter>>;

  constructor(registry: MetricsRegistry, read: DtlsGauges) {
    registry.gauge('tandem_coaps_sessions', 'DTLS sessions', read.sessions);
    registry.gauge('tandem_coaps_strangers', 'Those of them that no device is known of', read.strangers);
    registry.gauge('tandem_coaps_handshakes', 'DTLS handshakes under way', read.handshakes);
    registry.gauge('tandem_coaps_handshakes_waiting', 'DTLS handshakes that wait for their turn', read.waiting);
    registry.gauge('tandem_coaps_hellos', 'ClientHellos remembered to tell their repetitions', read.hellos);
    registry.gauge(
      'tandem_coaps_dtls_sources',
      'Source addresses whose datagrams are counted under DTLS',
      read.sources,
    );
    this.handshakes = registry.counter('tandem_coaps_handshakes_total', 'DTLS handshakes that led to a session');
    this.resumed = registry.counter('tandem_coaps_handshakes_resumed_total', 'Those of them that resumed a session');
    this.cookies = registry.counter('tandem_coaps_cookies_total', 'Clients that were asked to prove their address');
    this.#drops = counters(DROPS, (reason, text) =>
      registry.counter(`tandem_coaps_dtls_dropped_${reason}_total`, `Datagrams dropped under DTLS: ${text}`),
    );
    this.#ends = counters(ENDS, (reason, text) =>
      registry.counter(`tandem_coaps_sessions_${reason}_total`, `DTLS sessions that ended: ${text}`),
    );
    this.#handshakeEnds = counters(HANDSHAKE_ENDS, (reason, text) =>
      registry.counter(`tandem_coaps_handshakes_${reason}_total`, `DTLS handshakes that led to nothing: ${text}`),
    );
    const failures = Object.entries(HANDSHAKE_FAILURES).map(([reason, { text }]) => [reason, text]);
    this.#refusals = counters(Object.fromEntries(failures), (reason, text) =>
      registry.counter(`tandem_coaps_handshakes_failed_${reason}_total`, `DTLS handshakes that failed: ${text}`),
    );
  }

  refused(reason: HandshakeFailure): void {
    this.#refusals[reason]?.add();
  }

  dropped(reason: DtlsDropReason): void {
    this.#drops[reason]?.add();
  }

  ended(reason: SessionEndReason): void {
    this.#ends[reason]?.add();
  }

  handshakeEnded(reason: HandshakeEndReason): void {
    this.#handshakeEnds[reason]?.add();
  }
}

const counters = (texts: Readonly<Record<string, string>>, make: (reason: string, text: string) => Counter) =>
  Object.fromEntries(Object.entries(texts).map(([reason, text]) => [reason, make(reason, text)]));
