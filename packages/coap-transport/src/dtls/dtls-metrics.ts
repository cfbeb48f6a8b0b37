import { type Counter, type LabelValue, METRICS, type MetricsRegistry } from '@tandem/core';
import type { HandshakeFailure } from './handshake-failure';
import type { SessionEndReason } from './session';

export type DtlsDropReason = LabelValue<'tandem_dtls_dropped_total', 'reason'>;
type HandshakeOutcome = LabelValue<'tandem_dtls_handshakes_total', 'outcome'>;
/** Why a handshake led to nothing. */
export type HandshakeEndReason = Exclude<HandshakeOutcome, 'opened' | 'resumed'>;
export const HANDSHAKE_ENDS: Readonly<Record<HandshakeEndReason, string>> =
  METRICS.tandem_dtls_handshakes_total.labels.outcome;

export interface DtlsGauges {
  sessions(): number;
  strangers(): number;
  handshakes(): number;
  waiting(): number;
  hellos(): number;
  sources(): number;
}

export class DtlsMetrics {
  readonly cookies: Counter;
  readonly #handshakes: Readonly<Record<HandshakeOutcome, Counter>>;
  readonly #failures: Readonly<Record<HandshakeFailure, Counter>>;
  readonly #drops: Readonly<Record<DtlsDropReason, Counter>>;
  readonly #ends: Readonly<Record<SessionEndReason, Counter>>;

  constructor(registry: MetricsRegistry, read: DtlsGauges) {
    registry.gauge('tandem_dtls_sessions', read.sessions);
    registry.gauge('tandem_dtls_strangers', read.strangers);
    registry.gauge('tandem_dtls_running_handshakes', read.handshakes);
    registry.gauge('tandem_dtls_waiting_handshakes', read.waiting);
    registry.gauge('tandem_dtls_hellos', read.hellos);
    registry.gauge('tandem_dtls_sources', read.sources);
    this.cookies = registry.counter('tandem_dtls_cookies_total');
    this.#handshakes = registry.counters('tandem_dtls_handshakes_total', 'outcome');
    this.#failures = registry.counters('tandem_dtls_handshake_failures_total', 'reason');
    this.#drops = registry.counters('tandem_dtls_dropped_total', 'reason');
    this.#ends = registry.counters('tandem_dtls_sessions_ended_total', 'reason');
  }

  opened(resumed: boolean): void {
    this.#handshakes[resumed ? 'resumed' : 'opened'].add();
  }

  refused(reason: HandshakeFailure): void {
    this.#failures[reason].add();
  }

  dropped(reason: DtlsDropReason): void {
    this.#drops[reason].add();
  }

  ended(reason: SessionEndReason): void {
    this.#ends[reason].add();
  }

  handshakeEnded(reason: HandshakeEndReason): void {
    this.#handshakes[reason].add();
  }
}
