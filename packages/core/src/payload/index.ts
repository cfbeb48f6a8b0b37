export { parseAttributes } from './attributes-payload';
export { parseCanonicalObject } from './canonical-object';
export { compactJson, splitJsonObject } from './compact-json';
export { MAX_NESTING, MAX_VALUES } from './json-reader';
export { type ParsedClientRpc, parseClientRpc, parseRpcReply, type RpcReply } from './rpc-payload';
export { parseServerTelemetry } from './server-telemetry';
export { type ParsedTelemetry, parseTelemetry } from './telemetry-payload';
export { MAX_KEY_LENGTH, MAX_PLAIN_DIGITS, type PayloadSettings, type TypedMembers } from './typing';
export * from './value';
