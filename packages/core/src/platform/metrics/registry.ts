import { Counter, Histogram } from './accumulators';
import { type MetricKind, type MetricRow, valuesOf } from './row';
import { METRICS } from './table/index';

type Table = typeof METRICS;
export type MetricName = keyof Table;
type NamesOf<K extends MetricKind> = {
  [N in MetricName]: Table[N]['kind'] extends K ? N : never;
}[MetricName];
export type CounterName = NamesOf<'counter'>;
export type GaugeName = NamesOf<'gauge'>;
export type HistogramName = NamesOf<'histogram'>;

/** Names of the labels of a metric. */
export type LabelName<N extends MetricName> = keyof Table[N]['labels'] & string;
/** What one of its labels may say. */
export type LabelValue<
  N extends MetricName,
  L extends LabelName<N>,
> = Table[N]['labels'][L] extends readonly (infer V)[] ? V & string : keyof Table[N]['labels'][L] & string;
export type LabelsOf<N extends MetricName> = { readonly [L in LabelName<N>]: LabelValue<N, L> };
/** Left out where the metric has no label. */
type LabelArguments<N extends MetricName> = [LabelName<N>] extends [never] ? [] : [labels: LabelsOf<N>];

type Labels = Readonly<Record<string, string>>;

/** One line of numbers: a metric with the values of its labels. */
export type Sample = Counter | Histogram | { readonly value: number };

export interface Family {
  readonly name: MetricName;
  readonly row: MetricRow;
  samples(): Iterable<{ readonly labels: Labels; readonly sample: Sample }>;
}

interface Child {
  readonly labels: Labels;
  readonly sample: Sample;
}

/**
 * Where parts ask for what they count with, once, when they are made: by the name in the table of metrics (`table/`) and values of
 * its labels. What they get is a plain number to add to. The gateway prints all of them on the metrics port.
 */
export class MetricsRegistry {
  readonly #families = new Map<MetricName, Map<string, Child>>();

  counter<N extends CounterName>(name: N, ...[labels]: LabelArguments<N>): Counter {
    const counter = new Counter();
    this.#add(name, 'counter', labels, counter);
    return counter;
  }

  /** One counter for each value of a label. @param fixed the values of the others */
  counters<N extends CounterName, L extends LabelName<N>>(
    name: N,
    by: L,
    ...[fixed]: Exclude<LabelName<N>, L> extends never ? [] : [fixed: Omit<LabelsOf<N>, L>]
  ): Readonly<Record<LabelValue<N, L>, Counter>> {
    const values = valuesOf((METRICS[name] as MetricRow).labels[by] ?? []);
    const made = values.map((value) => {
      const counter = new Counter();
      this.#add(name, 'counter', { ...fixed, [by]: value } as Labels, counter);
      return [value, counter];
    });
    return Object.fromEntries(made) as Readonly<Record<LabelValue<N, L>, Counter>>;
  }

  /** @param read is called whenever somebody looks */
  gauge<N extends GaugeName>(name: N, read: () => number, ...[labels]: LabelArguments<N>): void {
    const sample = {
      get value() {
        return read();
      },
    };
    this.#add(name, 'gauge', labels, sample);
  }

  histogram<N extends HistogramName>(name: N, ...[labels]: LabelArguments<N>): Histogram {
    const histogram = new Histogram((METRICS[name] as MetricRow).buckets ?? []);
    this.#add(name, 'histogram', labels, histogram);
    return histogram;
  }

  /** Takes over what another registry has. */
  adopt(other: MetricsRegistry): void {
    for (const { name, row, samples } of other.families()) {
      for (const { labels, sample } of samples()) this.#add(name, row.kind, labels, sample);
    }
  }

  /** Those that somebody has asked for. */
  *families(): IterableIterator<Family> {
    for (const [name, children] of this.#families) {
      yield { name, row: METRICS[name], samples: () => children.values() };
    }
  }

  /** The sum of the samples with these values of labels; of a histogram how many there were. Undefined: there is none. */
  value<N extends MetricName>(name: N, labels: Partial<LabelsOf<N>> = {}): number | undefined {
    const asked = Object.entries<unknown>(labels);
    const found = [...(this.#families.get(name)?.values() ?? [])].filter((child) =>
      asked.every(([label, value]) => child.labels[label] === value),
    );
    if (found.length === 0) return undefined;
    return found.reduce((sum, { sample }) => sum + (sample instanceof Histogram ? sample.count : sample.value), 0);
  }

  /** @throws Error for what is not in the table, and for what is there already */
  #add(name: MetricName, kind: MetricKind, labels: Labels = {}, sample: Sample): void {
    checkLabels(name, kind, labels);
    const children = this.#families.get(name) ?? new Map<string, Child>();
    const key = Object.keys(METRICS[name].labels)
      .map((label) => labels[label])
      .join();
    if (children.has(key)) throw new Error(`metric ${name} is registered twice${key && ` for ${key}`}`);
    children.set(key, { labels, sample });
    this.#families.set(name, children);
  }
}

function checkLabels(name: MetricName, kind: MetricKind, labels: Labels): void {
  const row: MetricRow | undefined = Object.hasOwn(METRICS, name) ? METRICS[name] : undefined;
  if (row?.kind !== kind) throw new Error(`there is no ${kind} ${name} in the table of metrics`);
  for (const label of Object.keys(labels)) {
    if (!Object.hasOwn(row.labels, label)) throw new Error(`metric ${name} has no label ${label}`);
  }
  for (const [label, values] of Object.entries(row.labels)) {
    const value = labels[label];
    if (value === undefined || !valuesOf(values).includes(value)) {
      throw new Error(`label ${label} of metric ${name} must not be ${value}`);
    }
  }
}
