import type { ClaimRequest } from '../../claiming/claiming';
import type { EpochMillis } from '../../platform/clock';
import { type JsonNode, JsonObject } from '../json-node';
import { readJson } from '../json-reader';
import {
  attributeResponse,
  attributeUpdate,
  clientRpcResponse,
  decodeToJson,
  encodeFromJson,
  type PayloadSchemas,
  readAttributesMessage,
  readClaimMessage,
  readClientRpcMessage,
  readTelemetryMessage,
} from '../protobuf/index';
import type { ParsedClientRpc, RpcReply } from '../rpc-payload';
import type { ParsedTelemetry } from '../telemetry-payload';
import type { PayloadSettings, TypedMembers } from '../typing';
import type { DeviceMessage } from './device-message';
import { mediaRanges, mediaTypeOf } from './media-types';
import type { PayloadFormat } from './payload-format';

/** What answers in protobuf carry over HTTP. */
export const PROTOBUF_MEDIA_TYPE = 'application/x-protobuf';
/** By which names HTTP devices may say or ask for it. */
const NAMES: ReadonlySet<string> = new Set([
  PROTOBUF_MEDIA_TYPE,
  'application/protobuf',
  'application/vnd.google.protobuf',
]);

/** @param type `type/subtype` in lower case */
export const isProtobuf = (type: string): boolean => NAMES.has(type);

/** @param contentType a header, with its parameters */
export const saysProtobuf = (contentType: string | undefined): boolean =>
  contentType !== undefined && NAMES.has(mediaTypeOf(contentType));

/** @param accept a header of any number of ranges */
export const asksForProtobuf = (accept: string | undefined): boolean =>
  accept?.toLowerCase().includes('protobuf') === true && mediaRanges(accept).some(({ type }) => NAMES.has(type));

/** Objects and arrays go into a field of this name as their JSON text, where it is a string (device contract 4.4). */
const AS_TEXT = ['params'];
const COMMAND_MEMBERS = ['method', 'requestId', 'params'];

/** Device contract section 4: the schemas of a profile, and the fixed messages where there is none. */
export class ProtobufFormat implements PayloadFormat {
  readonly name = 'protobuf';
  readonly mediaType = PROTOBUF_MEDIA_TYPE;
  /** application/octet-stream (contract 2.7). */
  readonly contentFormat = 42;

  constructor(
    private readonly schemas: PayloadSchemas,
    private readonly settings: PayloadSettings,
  ) {}

  readTelemetry(bytes: Buffer, now: EpochMillis): ParsedTelemetry {
    return readTelemetryMessage(this.schemas.telemetry, bytes, now, this.settings);
  }

  readAttributes(bytes: Buffer): TypedMembers {
    return readAttributesMessage(this.schemas.attributes, bytes, this.settings);
  }

  readClientRpc(bytes: Buffer, options: { readonly paramsRequired: boolean }): ParsedClientRpc {
    return readClientRpcMessage(bytes, options);
  }

  /** A message is an object, whatever shape is asked for. */
  readReply(bytes: Buffer): RpcReply {
    return { text: decodeToJson(this.schemas.rpcResponse, bytes), isJson: true };
  }

  readClaim(bytes: Buffer): ClaimRequest {
    return readClaimMessage(bytes);
  }

  write(message: DeviceMessage): Buffer {
    switch (message.kind) {
      case 'attributes':
        return attributeResponse(message.client, message.shared);
      case 'update':
        return attributeUpdate(message.updated, message.deleted);
      case 'reply':
        return clientRpcResponse(message.json);
      case 'command': {
        const members: JsonNode[] = [message.method, message.id, readJson(message.params)];
        return encodeFromJson(this.schemas.rpcRequest, new JsonObject(COMMAND_MEMBERS, members), AS_TEXT);
      }
    }
  }
}
