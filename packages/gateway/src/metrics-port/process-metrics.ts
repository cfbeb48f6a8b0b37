import { type MetricRow, PROCESS_METRICS } from '@tandem/core';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Collected, Collector } from './exposition';

/** Milliseconds. */
const RESOLUTION = 20;
/** Those of the lag that are made of times between two ticks of a timer: its interval is no lag. */
const OF_TICKS = /^nodejs_eventloop_lag_[a-z0-9]+_seconds$/;

let known: readonly Collector[] | undefined;

/**
 * What prom-client can tell of this process, as far as it is in the table: it would also go through all sockets and timers at each
 * reading, to count them by kind. Made once, however many gateways a process has.
 */
export function processMetrics(): readonly Collector[] {
  known ??= collectors();
  return known;
}

function collectors(): Collector[] {
  const register = new Registry();
  const { buckets } = PROCESS_METRICS.nodejs_gc_duration_seconds;
  collectDefaultMetrics({
    register,
    eventLoopMonitoringPrecision: RESOLUTION,
    gcDurationBuckets: [...(buckets ?? [])],
  });
  return Object.entries<MetricRow>(PROCESS_METRICS).flatMap(([name, row]) => {
    const metric = register.getSingleMetric(name);
    return metric ? [collectorOf(name, row, () => metric.get() as unknown as Promise<Collected>)] : [];
  });
}

function collectorOf(name: string, { kind, help, across }: MetricRow, read: () => Promise<Collected>): Collector {
  return {
    name,
    kind,
    async get() {
      const { values } = await read();
      const own = OF_TICKS.test(name) ? values.map(withoutInterval) : values;
      return { name, help, type: kind, aggregator: across, values: own };
    },
  };
}

const withoutInterval = (sample: Collected['values'][number]): Collected['values'][number] => ({
  ...sample,
  value: Math.max(sample.value - RESOLUTION / 1_000, 0),
});
