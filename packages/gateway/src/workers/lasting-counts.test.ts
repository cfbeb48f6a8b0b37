import { MetricsRegistry } from '@tandem/core';
import { Exposition, renderTogether } from '../metrics-port/exposition';
import { LastingCounts } from './lasting-counts';

/** What a worker tells that has counted so many. */
async function counted(hits: number) {
  const metrics = new MetricsRegistry();
  metrics.counter('tandem_limit_hits_total', { limit: 'TANDEM_HTTP_MAX_POLLS' }).add(hits);
  metrics.gauge('tandem_http_open_polls', () => hits);
  const waits = metrics.histogram('tandem_wait_duration_seconds', { kind: 'rpc' });
  for (let n = 0; n < hits; n++) waits.observe(2);
  return new Exposition(metrics).snapshot();
}

const linesOf = async (counts: LastingCounts) =>
  (await renderTogether([counts.ended, counts.last])).split('\n').filter((line) => /^tandem/.test(line));

describe('What the workers of one place have counted', () => {
  it('is kept when one ends, however many do, and what there is no more is not', async () => {
    const counts = new LastingCounts();
    for (const hits of [2, 3, 5]) {
      counts.report(await counted(1));
      counts.report(await counted(hits));
      counts.end();
    }
    counts.report(await counted(7));
    const lines = await linesOf(counts);
    expect(lines).toEqual(
      expect.arrayContaining([
        'tandem_limit_hits_total{limit="TANDEM_HTTP_MAX_POLLS"} 17',
        'tandem_wait_duration_seconds_bucket{kind="rpc",le="1"} 0',
        'tandem_wait_duration_seconds_bucket{kind="rpc",le="5"} 17',
        'tandem_wait_duration_seconds_sum{kind="rpc"} 34',
        'tandem_wait_duration_seconds_count{kind="rpc"} 17',
      ]),
    );
    expect(lines.filter((line) => line.startsWith('tandem_http_open_polls'))).toEqual([]);
  });

  it('takes no more room with each that ends', async () => {
    const counts = new LastingCounts();
    const sizes = new Set<number>();
    for (let n = 0; n < 5; n++) {
      counts.report(await counted(1));
      counts.end();
      sizes.add(counts.ended.flatMap(({ values }) => values).length);
    }
    expect(sizes.size).toBe(1);
  });
});
