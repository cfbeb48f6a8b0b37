export { type LogEnd, type MaterialiserOptions, RedisMaterialiser } from './materialiser';
export { RedisTelemetryLog, type TelemetryLogOptions } from './telemetry-log';
export {
  expiringKey,
  historyKey,
  latestKey,
  latestMetaKey,
  RedisTelemetryView,
  unlistedKey,
} from './telemetry-view';
