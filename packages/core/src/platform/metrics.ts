export * from './metrics/accumulators';
export * from './metrics/registry';
export * from './metrics/request-metrics';
export { type MetricKind, type MetricOwner, type MetricRow, unitOf, valuesOf } from './metrics/row';
export { METRIC_TOPICS, METRICS } from './metrics/table/index';
export { PROCESS_METRICS } from './metrics/table/process';
