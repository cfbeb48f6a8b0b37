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
    this.#removed = metrics.counter(
      'tandem_retention_points_removed_total',
      'Points of the history that were removed because they were too old, too many or over',
    );
    this.#refused = metrics.counter(
      'tandem_telemetry_keys_refused_total',
      'Values that are not in the view because their devices have as many telemetry keys as they may',
    );
    this.#tooLarge = metrics.counter(
      'tandem_telemetry_too_large_total',
      'Messages that are not in the view because they are too large for the materialiser',
    );
    metrics.gauge(
      'tandem_retention_progress',
      'How much of the pass of the retention that is under way is done, 0 to 1; 1 between two',
      () => this.#progress,
    );
    metrics.gauge(
      'tandem_retention_last_pass_seconds',
      'When the last pass of the retention was through, by Unix time; 0 before the first one',
      () => this.#ended / 1_000,
    );
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
