export type MetricKind = 'counter' | 'gauge' | 'histogram';

/** The values that a label may have: their names alone, or with what each of them means. */
export type LabelValues = readonly string[] | Readonly<Record<string, string>>;
export type LabelSets = Readonly<Record<string, LabelValues>>;

/** How samples of several worker processes become one. */
export type AcrossWorkers = 'sum' | 'max' | 'min';

/** Which processes have it: those with a role or a store, the supervisor of worker processes, or all. */
export type MetricOwner =
  | 'every process'
  | 'http'
  | 'coap'
  | 'coaps'
  | 'api'
  | 'http or api'
  | 'embedded'
  | 'redis'
  | 'supervisor';

export interface MetricRow<K extends MetricKind = MetricKind, L extends LabelSets = LabelSets> {
  readonly kind: K;
  readonly help: string;
  readonly of: MetricOwner;
  readonly labels: L;
  /** Upper bounds of a histogram, in its unit, rising; `+Inf` goes without saying. */
  readonly buckets?: readonly number[];
  readonly across: AcrossWorkers;
}

export interface RowOptions<L extends LabelSets> {
  readonly labels?: L;
}

const NONE = {};

/** Only rises. */
export const counter = <const L extends LabelSets = typeof NONE>(
  of: MetricOwner,
  help: string,
  { labels = NONE as L }: RowOptions<L> = {},
): MetricRow<'counter', L> => ({ kind: 'counter', help, of, labels, across: 'sum' });

/** What there is now. @param options.across of what all workers see alike, `max` or `min` */
export const gauge = <const L extends LabelSets = typeof NONE>(
  of: MetricOwner,
  help: string,
  { labels = NONE as L, across = 'sum' }: RowOptions<L> & { readonly across?: AcrossWorkers } = {},
): MetricRow<'gauge', L> => ({ kind: 'gauge', help, of, labels, across });

/** How values spread. */
export const histogram = <const L extends LabelSets = typeof NONE>(
  of: MetricOwner,
  help: string,
  { labels = NONE as L, buckets }: RowOptions<L> & { readonly buckets: readonly number[] },
): MetricRow<'histogram', L> => ({ kind: 'histogram', help, of, labels, buckets, across: 'sum' });

/** Names of the values of a label. */
export const valuesOf = (values: LabelValues): readonly string[] => (isList(values) ? values : Object.keys(values));

const isList = (values: LabelValues): values is readonly string[] => Array.isArray(values);

/** What the end of a name says, as Prometheus wants it. */
export function unitOf(name: string): 'seconds' | 'bytes' | 'ratio' | 'time' | 'count' {
  if (name.endsWith('_timestamp_seconds') || name.endsWith('_start_time_seconds')) return 'time';
  const [, unit] = /_(seconds|bytes|ratio)(?:_total)?$/.exec(name) ?? [];
  return (unit as 'seconds' | 'bytes' | 'ratio' | undefined) ?? 'count';
}
