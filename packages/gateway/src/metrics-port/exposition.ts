import { type Family, Histogram, type MetricKind, type MetricsRegistry } from '@tandem/core';
import { AggregatorRegistry, type Metric, Registry } from 'prom-client';

/** One metric with its samples, as prom-client takes and gives it. */
export interface Collected {
  readonly name: string;
  readonly help: string;
  readonly type: MetricKind;
  /** How the samples of several processes become one. */
  readonly aggregator: 'sum' | 'max' | 'min';
  readonly values: readonly {
    readonly labels: Readonly<Record<string, string | number>>;
    readonly value: number;
    /** Where it is not that of the metric: `..._bucket`, `..._sum`, `..._count`. */
    readonly metricName?: string;
  }[];
}

/** What prom-client asks at each reading. */
export interface Collector {
  readonly name: string;
  readonly kind: MetricKind;
  get(): Promise<Collected>;
}

/** All metrics of one process at one moment. Can be sent to another process, also as JSON. */
export type MetricsSnapshot = readonly Collected[];

/** Of the text that both of these write. */
export const EXPOSITION_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** The metrics of this process in the Prometheus text format, version 0.0.4. What is counted stays where it is until somebody asks. */
export class Exposition {
  readonly #registry = new Registry();
  readonly #counts: Collector[] = [];

  /** @param others beside those of the parts */
  constructor(
    private readonly metrics: MetricsRegistry,
    others: readonly Collector[] = [],
  ) {
    for (const collector of others) this.#register(collector);
  }

  text(): Promise<string> {
    this.#takeIn();
    return this.#registry.metrics();
  }

  async snapshot(): Promise<MetricsSnapshot> {
    this.#takeIn();
    const all = (await this.#registry.getMetricsAsJSON()) as unknown as MetricsSnapshot;
    // JSON has no word for numbers that are none.
    return all.map((metric) => ({ ...metric, values: metric.values.filter(({ value }) => Number.isFinite(value)) }));
  }

  /** Counters and histograms alone. Reading a gauge may begin it anew, as that of the event loop's lag does. */
  counts(): Promise<MetricsSnapshot> {
    this.#takeIn();
    return Promise.all(this.#counts.map((collector) => collector.get()));
  }

  /** Parts may have been made since. */
  #takeIn(): void {
    for (const family of this.metrics.families()) {
      if (!this.#registry.getSingleMetric(family.name)) this.#register(collectorOf(family));
    }
  }

  #register(collector: Collector): void {
    if (collector.kind !== 'gauge') this.#counts.push(collector);
    // It asks for no more than this.
    this.#registry.registerMetric(collector as unknown as Metric);
  }
}

/** The metrics of several processes as if they were one, in the Prometheus text format. */
export function renderTogether(snapshots: readonly MetricsSnapshot[]): Promise<string> {
  return AggregatorRegistry.aggregate(snapshots as unknown as object[][]).metrics();
}

const collectorOf = (family: Family): Collector => ({
  name: family.name,
  kind: family.row.kind,
  async get() {
    const { name, row, samples } = family;
    const values = [...samples()].flatMap(({ labels, sample }) =>
      sample instanceof Histogram ? linesOf(name, labels, sample) : [{ labels, value: sample.value }],
    );
    return { name, help: row.help, type: row.kind, aggregator: row.across, values };
  },
});

function linesOf(name: string, labels: Readonly<Record<string, string>>, histogram: Histogram): Collected['values'] {
  const buckets = histogram.cumulative();
  return [
    ...buckets.map(({ bound, count }) => ({
      metricName: `${name}_bucket`,
      labels: { ...labels, le: Number.isFinite(bound) ? String(bound) : '+Inf' },
      value: count,
    })),
    { metricName: `${name}_sum`, labels, value: histogram.sum },
    { metricName: `${name}_count`, labels, value: buckets.at(-1)?.count ?? 0 },
  ];
}
