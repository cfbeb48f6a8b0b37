import type { Counter, LabelValue, MetricsRegistry } from '@tandem/core';
import { codeByte } from './codes';
import type { DropReason } from './guard';

/** Which of the doors an endpoint is: plain and secured CoAP are told apart by it. */
export type EndpointProtocol = LabelValue<'tandem_coap_dropped_total', 'protocol'>;

/** What an endpoint counts. */
export class EndpointMetrics {
  readonly datagrams: Counter;
  readonly requests: Counter;
  readonly duplicates: Counter;
  readonly retransmissions: Counter;
  readonly timeouts: Counter;
  /** By the byte of the code. */
  readonly #responses: readonly Counter[];
  readonly #drops: Readonly<Record<DropReason, Counter>>;

  constructor(registry: MetricsRegistry, protocol: EndpointProtocol) {
    this.datagrams = registry.counter('tandem_coap_datagrams_total', { protocol });
    this.requests = registry.counter('tandem_coap_received_requests_total', { protocol });
    this.duplicates = registry.counter('tandem_coap_duplicate_requests_total', { protocol });
    this.retransmissions = registry.counter('tandem_coap_retransmissions_total', { protocol });
    this.timeouts = registry.counter('tandem_coap_timeouts_total', { protocol });
    const { other, ...known } = registry.counters('tandem_coap_responses_total', 'code', { protocol });
    const responses = Array<Counter>(256).fill(other);
    for (const [code, counter] of Object.entries(known)) responses[codeByte(code)] = counter;
    this.#responses = responses;
    this.#drops = registry.counters('tandem_coap_dropped_total', 'reason', { protocol });
  }

  dropped(reason: DropReason): void {
    this.#drops[reason].add();
  }

  responded(code: number): void {
    this.#responses[code]?.add();
  }
}
