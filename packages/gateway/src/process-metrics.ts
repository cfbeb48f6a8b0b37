import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { MetricsRegistry } from '@tandem/core';

const NANOSECONDS_PER_SECOND = 1e9;
/** Milliseconds. */
const RESOLUTION = 20;

export function registerProcessMetrics(metrics: MetricsRegistry): void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION });
  delay.enable();
  metrics.gauge('process_resident_memory_bytes', 'Resident memory', () => process.memoryUsage.rss());
  metrics.gauge('nodejs_heap_used_bytes', 'JavaScript heap in use', () => process.memoryUsage().heapUsed);
  metrics.gauge('nodejs_external_memory_bytes', 'Memory of buffers', () => process.memoryUsage().external);
  metrics.gauge('nodejs_eventloop_lag_p99_seconds', 'Event-loop lag, 99th percentile since the last reading', () => {
    // What is recorded is the time between two ticks of a timer: its interval is no lag.
    const seconds = delay.percentile(99) / NANOSECONDS_PER_SECOND - RESOLUTION / 1000;
    delay.reset();
    return Math.max(seconds, 0);
  });
  metrics.register({
    name: 'process_cpu_seconds_total',
    help: 'CPU time of the process',
    kind: 'counter',
    read: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    },
  });
}
