import { MetricsRegistry } from './registry';
import { type MetricRow, unitOf, valuesOf } from './row';
import { METRIC_TOPICS, METRICS } from './table/index';

const LIMIT = 'TANDEM_HTTP_MAX_POLLS';

describe('A part that counts', () => {
  let metrics: MetricsRegistry;
  beforeEach(() => {
    metrics = new MetricsRegistry();
  });

  it('gets a counter, and all can read what it has counted', () => {
    const hits = metrics.counter('tandem_limit_hits_total', { limit: LIMIT });
    hits.add();
    hits.add(4);
    expect([hits.value, metrics.value('tandem_limit_hits_total', { limit: LIMIT })]).toEqual([5, 5]);
    expect(metrics.value('tandem_limit_hits_total', { limit: 'TANDEM_RPC_MAX_WAITING' })).toBeUndefined();
  });

  it('gets one counter for each value of a label', () => {
    const dropped = metrics.counters('tandem_coap_dropped_total', 'reason', { protocol: 'coap' });
    dropped.version.add(2);
    dropped.closing.add();
    expect(Object.keys(dropped)).toEqual(Object.keys(METRICS.tandem_coap_dropped_total.labels.reason));
    expect(metrics.value('tandem_coap_dropped_total', { protocol: 'coap' })).toBe(3);
    expect(metrics.value('tandem_coap_dropped_total', { reason: 'version' })).toBe(2);
  });

  it('is refused a name, a kind, a label or a value that is not in the table', () => {
    // @ts-expect-error: no such metric
    expect(() => metrics.counter('tandem_made_up_total')).toThrow('there is no counter tandem_made_up_total');
    // @ts-expect-error: of another kind
    expect(() => metrics.counter('tandem_sessions')).toThrow('there is no counter tandem_sessions');
    // @ts-expect-error: what every object has
    expect(() => metrics.counter('toString')).toThrow('there is no counter toString');
    // @ts-expect-error: no such value
    expect(() => metrics.counter('tandem_limit_hits_total', { limit: 'a token' })).toThrow('must not be a token');
    // @ts-expect-error: no value
    expect(() => metrics.counter('tandem_limit_hits_total')).toThrow('must not be undefined');
    const one = { limit: LIMIT, device: 'a token' } as const;
    expect(() => metrics.counter('tandem_limit_hits_total', one)).toThrow('has no label device');
    expect([...metrics.families()]).toEqual([]);
  });

  it('is refused what another part counts already', () => {
    metrics.gauge('tandem_coap_peers', () => 1, { protocol: 'coap' });
    metrics.gauge('tandem_coap_peers', () => 2, { protocol: 'coaps' });
    expect(() => metrics.gauge('tandem_coap_peers', () => 3, { protocol: 'coap' })).toThrow(/twice for coap$/);
  });

  it('may count on a registry of its own, which is taken over once it is known to be needed', () => {
    const apart = new MetricsRegistry();
    const counter = apart.counter('tandem_session_changes_missed_total');
    metrics.adopt(apart);
    counter.add();
    expect(metrics.value('tandem_session_changes_missed_total')).toBe(1);
    expect(() => metrics.adopt(apart)).toThrow('registered twice');
  });
});

describe('The table of metrics', () => {
  const rows = Object.values(METRIC_TOPICS).flatMap((topic) => Object.entries<MetricRow>(topic));

  it('has every metric once, under one topic', () => {
    const names = rows.map(([name]) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining(Object.keys(METRICS)));
  });

  it('names them as Prometheus wants it: counters by _total, histograms by their unit', () => {
    for (const [name, { kind }] of rows) {
      expect(name).toMatch(/^(tandem|process|nodejs)(_[a-z0-9]+)+$/);
      expect([name, name.endsWith('_total')]).toEqual([name, kind === 'counter']);
      expect([name, kind !== 'histogram' || unitOf(name) === 'seconds']).toEqual([name, true]);
      expect(name).not.toMatch(/_(bucket|sum|count)$/);
    }
  });

  it('gives every label a small set of plain values, and every histogram rising bounds', () => {
    for (const [name, { labels, kind, buckets }] of rows) {
      for (const values of Object.values(labels).map(valuesOf)) {
        expect(values.length).toBeLessThan(60);
        expect(new Set(values).size).toBe(values.length);
        for (const value of values) expect(value).toMatch(/^[A-Za-z0-9_.]+$/);
      }
      expect([name, buckets !== undefined]).toEqual([name, kind === 'histogram']);
      expect(buckets ?? []).toEqual([...(buckets ?? [])].sort((one, other) => one - other));
    }
  });
});
