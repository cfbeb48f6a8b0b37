import type { Millis } from '../clock';
import type { Counter, Histogram } from './accumulators';
import type { LabelValue, MetricsRegistry } from './registry';
import { valuesOf } from './row';
import { METRICS } from './table/index';

export type RequestProtocol = LabelValue<'tandem_requests_total', 'protocol'>;
export type RequestOperation = LabelValue<'tandem_requests_total', 'operation'>;
type Code = LabelValue<'tandem_requests_total', 'code'>;

/** Polls: how long they take says nothing of the gateway. */
const WAITS: Readonly<Partial<Record<RequestOperation, LabelValue<'tandem_wait_duration_seconds', 'kind'>>>> = {
  attributes_poll: 'attributes',
  rpc_poll: 'rpc',
};
const CODES: ReadonlySet<string> = new Set(valuesOf(METRICS.tandem_requests_total.labels.code));

/** Counts the requests of one operation by how they were answered, and how long that took. */
export class AnsweredRequests {
  /** Most of those that could be are never given. */
  readonly #byCode = new Map<number, Counter>();

  constructor(
    private readonly durations: Histogram,
    private readonly counterOf: (code: number) => Counter,
  ) {}

  /** @param code status of HTTP, or the byte that a code of CoAP is */
  answered(code: number, after: Millis): void {
    let counter = this.#byCode.get(code);
    if (counter === undefined) {
      counter = this.counterOf(code);
      this.#byCode.set(code, counter);
    }
    counter.add();
    this.durations.observe(after / 1_000);
  }
}

/** What one door counts of the requests that it answers. */
export class RequestMetrics {
  readonly #operations = new Map<RequestOperation, AnsweredRequests>();

  /** @param codeOf name of a code */
  constructor(
    private readonly registry: MetricsRegistry,
    private readonly protocol: RequestProtocol,
    private readonly codeOf: (code: number) => string = String,
  ) {}

  /** Always the same for the same operation: to be asked for once, or for each request. */
  of(operation: RequestOperation): AnsweredRequests {
    const known = this.#operations.get(operation);
    if (known) return known;
    const made = new AnsweredRequests(this.#durations(operation), this.#counters(operation));
    this.#operations.set(operation, made);
    return made;
  }

  #durations(operation: RequestOperation): Histogram {
    const { protocol, registry } = this;
    const kind = WAITS[operation];
    return kind !== undefined
      ? registry.histogram('tandem_wait_duration_seconds', { kind })
      : registry.histogram('tandem_request_duration_seconds', { protocol, operation });
  }

  #counters(operation: RequestOperation): (code: number) => Counter {
    const { protocol, registry } = this;
    let other: Counter | undefined;
    const count = (code: Code) => registry.counter('tandem_requests_total', { protocol, operation, code });
    return (byte) => {
      const code = this.codeOf(byte);
      if (CODES.has(code)) return count(code as Code);
      other ??= count('other');
      return other;
    };
  }
}
