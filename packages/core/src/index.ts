export * from './accounts/accounts';
export * from './accounts/activations';
export * from './accounts/api-keys';
export * from './accounts/customers';
export * from './accounts/login-guard';
export * from './accounts/logins';
export * from './accounts/passwords';
export * from './accounts/principals';
export * from './accounts/removals';
export * from './accounts/tenants';
export * from './accounts/users';
export * from './attributes/attribute-delta';
export * from './attributes/attribute-observation';
export * from './attributes/attribute-updates';
export * from './attributes/attributes';
export * from './auth/client-certificates';
export * from './auth/credentials-guard';
export * from './auth/credentials-hash';
export * from './auth/device-auth';
export * from './auth/device-session';
export * from './auth/pre-shared-keys';
export * from './claiming/claiming';
export * from './config/index';
export * from './connectivity/connectivity';
export type { OpenSession } from './connectivity/own-sessions';
export * from './core';
export * from './devices/device-credentials';
export * from './devices/device-infos';
export * from './devices/device-profiles';
export * from './devices/devices';
export { type Delivered, Delivery } from './devices/event-trace';
export * from './devices/import/device-import';
export * from './devices/import/import-mapping';
export * from './devices/long-poll';
export * from './devices/model';
export * from './devices/new-devices';
export * from './devices/observers';
export * from './devices/profile-data';
export * from './devices/profile-keys';
export * from './devices/profile-transports';
export * from './devices/storable-text';
export * from './errors';
export * from './feed/counted-listener';
export * from './feed/live-attributes';
export * from './feed/live-source';
export * from './feed/live-subscription';
export * from './feed/live-telemetry';
export * from './firmware/checksums/index';
export { type DownloadCut, downloadCut } from './firmware/download-cut';
export * from './firmware/downloads';
export * from './firmware/file-answer';
export type { Firmware } from './firmware/firmware';
export * from './firmware/firmware-assignment';
export * from './firmware/firmware-rollouts';
export * from './firmware/model';
export * from './firmware/ota-packages';
export * from './firmware/package-data';
export * from './limits/limits';
export * from './limits/memory-failure-counters';
export * from './limits/memory-rate-counters';
export * from './limits/places';
export {
  type AnswerFormat,
  asksForProtobuf,
  BUILT_IN_CODECS,
  type DeviceMessage,
  Formats,
  faultOfCodec,
  keyFault,
  MAX_NESTING,
  MAX_VALUES,
  type ParsedTelemetry,
  type PayloadCodec,
  type PayloadFormat,
  type PayloadKind,
  type PayloadSettings,
  PROTOBUF_MEDIA_TYPE,
  parseAttributes,
  parseServerTelemetry,
  parseTelemetry,
  saysProtobuf,
  splitJsonArray,
  splitJsonObject,
  type TypedMembers,
  type WrittenMessage,
  written,
} from './payload/index';
export * from './payload/value';
export * from './platform/caller-address';
export * from './platform/chunks';
export * from './platform/clock';
export * from './platform/faults';
export * from './platform/int32-parameter';
export * from './platform/ip-address';
export * from './platform/key-material';
export * from './platform/logger';
export * from './platform/metrics';
export * from './platform/multi-map';
export * from './platform/quiet-logger';
export * from './platform/random';
export * from './platform/secret-box';
export * from './platform/secret-keys';
export * from './platform/tell-all';
export { inThisTrace, linkNow, RunningSpan, switchTracing, tracing } from './platform/tracing';
export type { ProvisionOutcome } from './provisioning/provision-outcome';
export * from './provisioning/provision-payload';
export * from './provisioning/provisioning';
export * from './rpc/index';
export * from './state/account-store';
export * from './state/activity-store';
export * from './state/answerers';
export * from './state/attribute-store';
export * from './state/claim-store';
export * from './state/device-events';
export * from './state/device-feed';
export * from './state/device-store';
export * from './state/directory/device-directory';
export * from './state/directory/device-order';
export * from './state/failure-counters';
export * from './state/firmware-store';
export * from './state/former-records';
export * from './state/keys-in-use';
export * from './state/materialiser-condition';
export * from './state/paging';
export * from './state/processes';
export * from './state/rate-counters';
export * from './state/reply-round';
export * from './state/rollout-store';
export * from './state/rpc-page';
export * from './state/rpc-store';
export * from './state/seal-pass';
export * from './state/sealed-records';
export * from './state/state';
export * from './state/telemetry-log';
export * from './state/telemetry-view';
export * from './state/timed-state';
export * from './state/traced-state';
export * from './telemetry/aggregation';
export * from './telemetry/intervals';
export * from './telemetry/materialisable';
export * from './telemetry/point-line';
export * from './telemetry/record-lines';
export * from './telemetry/retention-metrics';
export * from './telemetry/telemetry';
export * from './telemetry/time-series';
export * from './telemetry/time-zone';
export * from './waiters/waiter';
export * from './waiters/waiters';
