import type { Collected, MetricsSnapshot } from '../metrics-port/exposition';

/**
 * What the workers in one place have counted, one after the other, so that no sum falls when one of them ends or does not answer. There is
 * one number for each series, and labels have a closed set of values: it grows with no restart.
 */
export class LastingCounts {
  #ended: MetricsSnapshot = [];
  #last: MetricsSnapshot = [];

  /** Of those that have ended, added up. */
  get ended(): MetricsSnapshot {
    return this.#ended;
  }

  /** What the one that is there has told last. */
  get last(): MetricsSnapshot {
    return this.#last;
  }

  /** @param snapshot of the one that is there; what is no count is left out */
  report(snapshot: MetricsSnapshot): void {
    this.#last = snapshot.filter(({ type }) => type !== 'gauge');
  }

  /** The one that is there has ended. */
  end(): void {
    this.#ended = sumOf(this.#ended, this.#last);
    this.#last = [];
  }
}

type Sample = Collected['values'][number];

function sumOf(some: MetricsSnapshot, more: MetricsSnapshot): MetricsSnapshot {
  const byName = new Map(some.map((metric) => [metric.name, metric]));
  for (const metric of more) {
    const values = [...(byName.get(metric.name)?.values ?? []), ...metric.values];
    byName.set(metric.name, { ...metric, values: addedUp(values) });
  }
  return [...byName.values()];
}

function addedUp(samples: readonly Sample[]): readonly Sample[] {
  const bySeries = new Map<string, Sample>();
  for (const sample of samples) {
    const series = JSON.stringify([sample.metricName, Object.entries(sample.labels).sort()]);
    bySeries.set(series, { ...sample, value: (bySeries.get(series)?.value ?? 0) + sample.value });
  }
  return [...bySeries.values()];
}
