export { type LogEnd, type MaterialiserOptions, RedisMaterialiser } from './materialiser';
export { RedisTelemetryLog, type TelemetryLogOptions } from './telemetry-log';
export { historyKey, latestKey, latestMetaKey, RedisTelemetryView } from './telemetry-view';
