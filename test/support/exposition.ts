/** One line of numbers in the text of `/metrics`. */
export interface ExposedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Values of labels; of several any. */
export type LabelSelection = Readonly<Record<string, string | readonly string[]>>;

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/y;

/**
 * The samples in a text of the Prometheus format.
 * @throws Error for a line that is none
 */
export function samplesOf(text: string): ExposedSample[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? [];
      if (name === '') throw new Error(`not a sample: ${line}`);
      return { name, labels: labelsOf(labels), value: numberOf(value) };
    });
}

/** The sum of those with this name and these labels; NaN: there is none. */
export function readingOf(samples: readonly ExposedSample[], name: string, labels: LabelSelection = {}): number {
  const found = samples.filter(
    (sample) =>
      sample.name === name &&
      Object.entries(labels).every(([label, values]) => [values].flat().includes(sample.labels[label] ?? '')),
  );
  return found.length === 0 ? Number.NaN : found.reduce((sum, { value }) => sum + value, 0);
}

export interface ExposedFamily {
  readonly type: string;
  readonly samples: readonly ExposedSample[];
}

/**
 * The families of a text of the Prometheus format, version 0.0.4, read as strictly as it can be: each is described, then typed, then
 * all of its samples follow, none of them twice; the buckets of a histogram add up.
 * @throws Error for what is not so
 */
export function familiesOf(text: string): ReadonlyMap<string, ExposedFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, { type: string; samples: ExposedSample[] }>();
  let described = '';
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const help = /^# HELP ([a-zA-Z_:][\w:]*) \S.*$/.exec(line)?.[1];
    const [, typed, type = ''] = /^# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge|histogram)$/.exec(line) ?? [];
    if (help !== undefined) {
      if (families.has(help)) throw new Error(`${help} is not in one piece`);
      described = help;
    } else if (typed !== undefined) {
      if (typed !== described || families.has(typed)) throw new Error(`out of place: ${line}`);
      families.set(typed, { type, samples: [] });
    } else {
      const family = families.get(described);
      for (const sample of samplesOf(line)) {
        const suffix = sample.name.slice(described.length);
        const known = family?.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
        if (!sample.name.startsWith(described) || !known.includes(suffix)) throw new Error(`out of place: ${line}`);
        family?.samples.push(sample);
      }
    }
  }
  for (const [name, { type, samples }] of families) {
    const lines = samples.map((sample) => JSON.stringify([sample.name, Object.entries(sample.labels).sort()]));
    if (new Set(lines).size !== lines.length) throw new Error(`${name} has a sample twice`);
    if (type === 'histogram') checkHistogram(name, samples);
  }
  return families;
}

function checkHistogram(name: string, samples: readonly ExposedSample[]): void {
  for (const { labels, value: count } of samples.filter((sample) => sample.name === `${name}_count`)) {
    const buckets = samples.filter(
      (sample) =>
        sample.name === `${name}_bucket` &&
        Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
    );
    const bounds = buckets.map((bucket) => numberOf(bucket.labels.le ?? ''));
    const rising = (values: readonly number[]) => values.every((value, at) => value >= (values[at - 1] ?? 0));
    if (!rising(bounds) || bounds.at(-1) !== Number.POSITIVE_INFINITY) throw new Error(`${name}: bounds ${bounds}`);
    const counts = buckets.map(({ value }) => value);
    if (!rising(counts) || counts.at(-1) !== count) throw new Error(`${name}: counts ${counts} of ${count}`);
    if (Number.isNaN(readingOf(samples, `${name}_sum`, labels))) throw new Error(`${name} has no sum`);
  }
}

function labelsOf(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const [, name, value = ''] = LABEL.exec(text) ?? [];
    if (name === undefined || name in labels) throw new Error(`not the labels of a sample: ${text}`);
    labels[name] = value.replace(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped));
  }
  return labels;
}

function numberOf(text: string): number {
  if (/^[+-]Inf$/.test(text)) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) && text.toLowerCase() !== 'nan') {
    throw new Error(`not a number: ${text}`);
  }
  return Number(text);
}
