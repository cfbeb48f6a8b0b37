import { counter, gauge, histogram, type MetricRow } from '../row';

const EVERY = 'every process';

/** What prom-client knows of any Node process, by the names that dashboards of Node expect. No part of the gateway asks for these. */
export const PROCESS_METRICS = {
  process_cpu_user_seconds_total: counter(EVERY, 'CPU time of the process in its own code'),
  process_cpu_system_seconds_total: counter(EVERY, 'CPU time of the process in the system'),
  process_cpu_seconds_total: counter(EVERY, 'CPU time of the process'),
  process_start_time_seconds: gauge(EVERY, 'When the process was started', { across: 'min' }),
  process_resident_memory_bytes: gauge(EVERY, 'Resident memory'),
  process_virtual_memory_bytes: gauge(EVERY, 'Virtual memory; the files of the embedded store are mapped into it'),
  process_open_fds: gauge(EVERY, 'Open files and sockets'),
  process_max_fds: gauge(EVERY, 'How many files and sockets one process may have open', { across: 'min' }),
  nodejs_eventloop_lag_seconds: gauge(EVERY, 'How long what is to run next had to wait just now', { across: 'max' }),
  nodejs_eventloop_lag_min_seconds: gauge(EVERY, 'Smallest event-loop lag since the last reading', { across: 'min' }),
  nodejs_eventloop_lag_max_seconds: gauge(EVERY, 'Largest event-loop lag since the last reading', { across: 'max' }),
  nodejs_eventloop_lag_mean_seconds: gauge(EVERY, 'Event-loop lag since the last reading, mean', { across: 'max' }),
  nodejs_eventloop_lag_p50_seconds: gauge(EVERY, 'Event-loop lag since the last reading, median', { across: 'max' }),
  nodejs_eventloop_lag_p90_seconds: gauge(EVERY, 'Event-loop lag since the last reading, 90th percentile', {
    across: 'max',
  }),
  nodejs_eventloop_lag_p99_seconds: gauge(EVERY, 'Event-loop lag since the last reading, 99th percentile', {
    across: 'max',
  }),
  nodejs_heap_size_total_bytes: gauge(EVERY, 'JavaScript heap'),
  nodejs_heap_size_used_bytes: gauge(EVERY, 'JavaScript heap in use'),
  nodejs_external_memory_bytes: gauge(EVERY, 'Memory of buffers'),
  nodejs_gc_duration_seconds: histogram(EVERY, 'Pauses of garbage collection', {
    labels: { kind: ['major', 'minor', 'incremental', 'weakcb'] },
    buckets: [0.001, 0.01, 0.1, 1, 2, 5],
  }),
} as const satisfies Readonly<Record<string, MetricRow>>;
