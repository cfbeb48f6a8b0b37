export { parseAttributes } from './attributes-payload';
export { BUILT_IN_CODECS, makeCodecFormats } from './built-in-codecs';
export { splitJsonArray, splitJsonObject } from './compact-json';
export * from './format/index';
export { MAX_NESTING, MAX_VALUES } from './json-reader';
export { parseServerTelemetry } from './server-telemetry';
export { keyFault, MAX_KEY_LENGTH } from './storable-key';
export { type ParsedTelemetry, parseTelemetry } from './telemetry-payload';
export type { PayloadSettings, TypedMembers } from './typing';
