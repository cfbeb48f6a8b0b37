import { MetricsRegistry } from '@tandem/core';
import { renderMetrics } from './render-metrics';

describe('The metrics', () => {
  it('are lines of the Prometheus text format, as of now', () => {
    const metrics = new MetricsRegistry();
    const counter = metrics.counter('requests_total', 'Requests');
    metrics.gauge('open', 'Open ones', () => 2.5);
    counter.add(3);
    expect(renderMetrics(metrics)).toBe(
      '# HELP requests_total Requests\n# TYPE requests_total counter\nrequests_total 3\n' +
        '# HELP open Open ones\n# TYPE open gauge\nopen 2.5\n',
    );
  });

  it('keep the samples of one family together, under one description', () => {
    const metrics = new MetricsRegistry();
    metrics.gauge('dropped{reason="a"}', 'Dropped', () => 1);
    metrics.gauge('other', 'Other', () => 2);
    metrics.gauge('dropped{reason="b"}', 'Dropped', () => 3);
    expect(renderMetrics(metrics)).toBe(
      '# HELP dropped Dropped\n# TYPE dropped gauge\ndropped{reason="a"} 1\ndropped{reason="b"} 3\n' +
        '# HELP other Other\n# TYPE other gauge\nother 2\n',
    );
  });

  it('spell what is no number as Prometheus does', () => {
    const metrics = new MetricsRegistry();
    metrics.gauge('up', 'Up', () => Number.POSITIVE_INFINITY);
    metrics.gauge('down', 'Down', () => Number.NEGATIVE_INFINITY);
    metrics.gauge('none', 'None', () => Number.NaN);
    expect(renderMetrics(metrics)).toMatch(/\nup \+Inf\n[\s\S]*\ndown -Inf\n[\s\S]*\nnone NaN\n$/);
  });
});
