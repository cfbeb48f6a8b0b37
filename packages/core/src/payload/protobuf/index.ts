export { encodeFromJson } from './encode-message';
export * from './fixed-messages';
export { decodeToJson } from './message-json';
export {
  checkPayloadSchemas,
  DEFAULT_RPC_REQUEST_SCHEMA,
  DEFAULT_RPC_RESPONSE_SCHEMA,
  type PayloadSchemas,
  type SchemaSources,
  StoredSchemas,
} from './payload-schemas';
export * from './schema';
export type { SchemaLimits } from './schema-guard';
export { readAttributesMessage, readTelemetryMessage } from './typed-message';
