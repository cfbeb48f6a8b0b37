import type { MetricsRegistry } from '@tandem/core';
import { DROP_REASONS, type DropReason } from './guard';

interface Counter {
  add(n?: number): void;
}

/** What an endpoint counts. Every name begins with the prefix, so that plain and secured CoAP can be told apart. */
export class EndpointMetrics {
  readonly datagrams: Counter;
  readonly requests: Counter;
  readonly duplicates: Counter;
  readonly retransmissions: Counter;
  readonly timeouts: Counter;
  /** By class of the code. */
  readonly #responses: readonly (Counter | undefined)[];
  readonly #drops: Readonly<Record<DropReason, Counter>>;

  constructor(registry: MetricsRegistry, prefix: string) {
    const counter = (name: string, help: string) => registry.counter(`${prefix}_${name}_total`, help);
    this.datagrams = counter('datagrams', 'Datagrams received');
    this.requests = counter('requests', 'Requests received, without duplicates');
    this.duplicates = counter('duplicate_requests', 'Requests that had been received before');
    this.retransmissions = counter('retransmissions', 'Confirmable messages of ours that were repeated');
    this.timeouts = counter('timeouts', 'Confirmable messages of ours that were never acknowledged');
    this.#responses = [0, 1, 2, 3, 4, 5].map((codeClass) =>
      codeClass === 2 || codeClass >= 4
        ? counter(`responses_${codeClass}xx`, `Responses with a code of class ${codeClass}`)
        : undefined,
    );
    const drops = DROP_REASONS.map((reason) => [
      reason,
      counter(`dropped_${reason}`, `Messages dropped or rejected: ${reason.replaceAll('_', ' ')}`),
    ]);
    this.#drops = Object.fromEntries(drops) as Record<DropReason, Counter>;
  }

  dropped(reason: DropReason): void {
    this.#drops[reason].add();
  }

  responded(code: number): void {
    this.#responses[code >> 5]?.add();
  }
}
