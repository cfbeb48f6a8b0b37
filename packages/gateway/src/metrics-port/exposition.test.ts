import { MetricsRegistry } from '@tandem/core';
import { Exposition, renderTogether } from './exposition';

const LIMIT = 'TANDEM_HTTP_MAX_POLLS';

describe('The metrics', () => {
  let metrics: MetricsRegistry;
  let exposition: Exposition;
  beforeEach(() => {
    metrics = new MetricsRegistry();
    exposition = new Exposition(metrics);
  });

  it('are lines of the Prometheus text format, as of now, whenever their parts were made', async () => {
    expect(await exposition.text()).toBe('\n');
    const counter = metrics.counter('tandem_limit_hits_total', { limit: LIMIT });
    metrics.gauge('tandem_http_connections', () => 2.5);
    counter.add(3);
    expect(await exposition.text()).toBe(
      '# HELP tandem_limit_hits_total What was refused for being one too many, by the setting that says so\n' +
        `# TYPE tandem_limit_hits_total counter\ntandem_limit_hits_total{limit="${LIMIT}"} 3\n\n` +
        '# HELP tandem_http_connections Open connections\n' +
        '# TYPE tandem_http_connections gauge\ntandem_http_connections 2.5\n',
    );
  });

  it('keep the samples of one family together, under one description', async () => {
    metrics.gauge('tandem_coap_peers', () => 1, { protocol: 'coap' });
    metrics.gauge('tandem_sessions', () => 2);
    metrics.gauge('tandem_coap_peers', () => 3, { protocol: 'coaps' });
    expect((await exposition.text()).split('\n').filter((line) => !line.startsWith('# HELP'))).toEqual([
      '# TYPE tandem_coap_peers gauge',
      'tandem_coap_peers{protocol="coap"} 1',
      'tandem_coap_peers{protocol="coaps"} 3',
      '',
      '# TYPE tandem_sessions gauge',
      'tandem_sessions 2',
      '',
    ]);
  });

  it('spell what is no number as Prometheus does', async () => {
    metrics.gauge('tandem_sessions', () => Number.POSITIVE_INFINITY);
    metrics.gauge('tandem_removals', () => Number.NEGATIVE_INFINITY);
    metrics.gauge('tandem_ws_sessions', () => Number.NaN);
    expect(await exposition.text()).toMatch(
      /\ntandem_sessions \+Inf\n[\s\S]*\ntandem_removals -Inf\n[\s\S]*\ntandem_ws_sessions nan\n$/i,
    );
  });

  it('count each value of a histogram in all buckets that it fits into', async () => {
    const histogram = metrics.histogram('tandem_wait_duration_seconds', { kind: 'rpc' });
    for (const seconds of [0.1, 0.2, 61, 5_000]) histogram.observe(seconds);
    const text = await exposition.text();
    const bucket = (bound: string) =>
      Number(new RegExp(`_bucket\\{kind="rpc",le="${bound.replace('+', '\\+')}"\\} (\\d+)`).exec(text)?.[1]);
    expect(['0.1', '1', '60', '120', '3600', '+Inf'].map(bucket)).toEqual([1, 2, 2, 3, 3, 4]);
    expect(text).toContain('tandem_wait_duration_seconds_sum{kind="rpc"} 5061.3\n');
    expect(text).toContain('tandem_wait_duration_seconds_count{kind="rpc"} 4\n');
  });
});

describe('The metrics of several processes', () => {
  it('are added up, and what all see alike is taken once', async () => {
    const snapshots = [];
    for (const [index, hits] of [2, 40].entries()) {
      const metrics = new MetricsRegistry();
      metrics.counter('tandem_limit_hits_total', { limit: LIMIT }).add(hits);
      metrics.gauge('tandem_http_open_polls', () => hits);
      metrics.gauge('tandem_telemetry_backlog', () => 100 + index);
      metrics.gauge('tandem_data_free_bytes', () => 1_000 + index);
      metrics.histogram('tandem_wait_duration_seconds', { kind: 'rpc' }).observe(hits);
      if (index === 1) metrics.gauge('tandem_sessions', () => 7);
      // As they come from another process.
      snapshots.push(JSON.parse(JSON.stringify(await new Exposition(metrics).snapshot())));
    }
    const lines = (await renderTogether(snapshots)).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        `tandem_limit_hits_total{limit="${LIMIT}"} 42`,
        'tandem_http_open_polls 42',
        'tandem_telemetry_backlog 101',
        'tandem_data_free_bytes 1000',
        'tandem_sessions 7',
        'tandem_wait_duration_seconds_bucket{kind="rpc",le="5"} 1',
        'tandem_wait_duration_seconds_bucket{kind="rpc",le="+Inf"} 2',
        'tandem_wait_duration_seconds_sum{kind="rpc"} 42',
      ]),
    );
    expect(lines.filter((line) => line.startsWith('# TYPE tandem_wait_duration_seconds '))).toHaveLength(1);
  });
});
