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
import type { PayloadFormat } from './payload-format';

const MEDIA_TYPE = 'application/x-protobuf';
/** By which names HTTP devices may say or ask for protobuf; answers carry the first. */
const NAMES = /\bapplication\/(?:x-|vnd\.google\.)?protobuf(?![-+.\w])/i;

/** @param header Content-Type or Accept */
export const namesProtobuf = (header: string | undefined): boolean => header !== undefined && NAMES.test(header);

/** Objects and arrays go into a field of this name as their JSON text, where it is a string (device contract 4.4). */
const AS_TEXT = ['params'];
const COMMAND_MEMBERS = ['method', 'requestId', 'params'];

/** Device contract section 4: the schemas of a profile, and the fixed messages where there is none. */
export class ProtobufFormat implements PayloadFormat {
  readonly name = 'protobuf';
  readonly mediaType = MEDIA_TYPE;
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
