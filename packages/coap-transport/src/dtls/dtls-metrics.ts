import type { MetricsRegistry } from '@tandem/core';
import type { SessionEndReason } from './session';

export type DtlsDropReason = 'no_record' | 'no_session' | 'bad_hello' | 'handshakes';
const DROPS: Readonly<Record<DtlsDropReason, string>> = {
  no_record: 'no record of DTLS',
  no_session: 'no session at that address',
  bad_hello: 'a ClientHello that is none',
  handshakes: 'too many handshakes under way',
};
const ENDS: Readonly<Record<SessionEndReason, string>> = {
  closed_by_peer: 'closed by the peer',
  replaced: 'another one at the same address',
  idle: 'nothing was heard of it for too long',
  evicted: 'room was needed for another',
  revoked: 'its device was deleted or has other credentials now',
  shutdown: 'the gateway was stopped',
  broken: 'it could not go on',
};

interface Counter {
  add(): void;
}

export class DtlsMetrics {
  readonly handshakes: Counter;
  readonly failures: Counter;
  readonly cookies: Counter;
  readonly #drops: Readonly<Record<string, Counter>>;
  readonly #ends: Readonly<Record<string, Counter>>;

  constructor(registry: MetricsRegistry, read: { sessions(): number; handshakes(): number }) {
    registry.gauge('tandem_coaps_sessions', 'DTLS sessions', read.sessions);
    registry.gauge('tandem_coaps_handshakes', 'DTLS handshakes under way', read.handshakes);
    this.handshakes = registry.counter('tandem_coaps_handshakes_total', 'DTLS handshakes that led to a session');
    this.failures = registry.counter('tandem_coaps_handshakes_failed_total', 'DTLS handshakes that failed');
    this.cookies = registry.counter('tandem_coaps_cookies_total', 'Clients that were asked to prove their address');
    this.#drops = counters(DROPS, (reason, text) =>
      registry.counter(`tandem_coaps_dtls_dropped_${reason}_total`, `Datagrams dropped under DTLS: ${text}`),
    );
    this.#ends = counters(ENDS, (reason, text) =>
      registry.counter(`tandem_coaps_sessions_${reason}_total`, `DTLS sessions that ended: ${text}`),
    );
  }

  dropped(reason: DtlsDropReason): void {
    this.#drops[reason]?.add();
  }

  ended(reason: SessionEndReason): void {
    this.#ends[reason]?.add();
  }
}

const counters = (texts: Readonly<Record<string, string>>, make: (reason: string, text: string) => Counter) =>
  Object.fromEntries(Object.entries(texts).map(([reason, text]) => [reason, make(reason, text)]));
