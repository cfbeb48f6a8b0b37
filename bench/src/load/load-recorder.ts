import { LatencyHistogram } from '../measure/latency-histogram';

/** What a generator saw: answers with their latencies, and everything that was not a success. */
export class LoadRecorder {
  readonly latency = new LatencyHistogram();
  /** Successes since the recorder was made. */
  answered = 0;
  retransmissions = 0;
  private readonly failuresByKind = new Map<string, number>();

  success(latencyMicros: number): void {
    this.answered += 1;
    this.latency.record(latencyMicros);
  }

  /** @param kind what came instead of a success, e.g. `status 503`, `code 5.03`, `no answer` */
  failure(kind: string): void {
    this.failuresByKind.set(kind, (this.failuresByKind.get(kind) ?? 0) + 1);
  }

  get failures(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.failuresByKind);
  }
}
