import type { EpochMillis } from '../platform/clock';
import type { MetricsRegistry } from '../platform/metrics';

/** What becomes of points that are not kept: the same of every store. */
export class RetentionMetrics {
  readonly #removed: { add(n?: number): void };
  readonly #refused: { add(n?: number): void };
  readonly #tooLarge: { add(n?: number): void };
  #progress = 1;
  #ended: EpochMillis = 0;

  constructor(metrics: MetricsRegistry) {
    this.#removed = metrics.counter('tandem_retention_points_removed_total');
    this.#refused = metrics.counter('tandem_telemetry_keys_refused_total');
    this.#tooLarge = metrics.counter('tandem_telemetry_too_large_total');
    metrics.gauge('tandem_retention_progress_ratio', () => this.#progress);
    metrics.gauge('tandem_retention_last_pass_timestamp_seconds', () => this.#ended / 1_000);
  }

  refused(values: number): void {
    this.#refused.add(values);
  }

  tooLarge(messages: number): void {
    this.#tooLarge.add(messages);
  }

  /** @param step `ended` is 0 while the pass is under way */
  step({ progress, ended, removed }: { progress: number; ended: EpochMillis; removed: number }): void {
    this.#progress = progress;
    if (ended > 0) this.#ended = ended;
    if (removed > 0) this.#removed.add(removed);
  }
}
