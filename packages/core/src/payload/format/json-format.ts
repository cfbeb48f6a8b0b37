import type { ClaimRequest } from '../../claiming/claiming';
import type { EpochMillis } from '../../platform/clock';
import { parseAttributes } from '../attributes-payload';
import { parseClaim } from '../claim-payload';
import { type ParsedClientRpc, parseClientRpc, parseRpcReply, type RpcReply } from '../rpc-payload';
import { type ParsedTelemetry, parseTelemetry } from '../telemetry-payload';
import type { PayloadSettings, TypedMembers } from '../typing';
import { type KeyValue, renderObject, trustedValue } from '../value';
import type { DeviceMessage } from './device-message';
import type { AnswerFormat, PayloadFormat } from './payload-format';

/** The member that lists the keys that are gone (contract 1.5.3). */
export const DELETED_MEMBER = 'deleted';

/** Contract section 3: what devices speak that say nothing else. */
export class JsonFormat implements PayloadFormat {
  readonly name = 'json';
  readonly mediaType = 'application/json';
  /** RFC 7252 section 12.3; always this one, whatever the request carried (contract 2.7). */
  readonly contentFormat = 50;

  constructor(private readonly settings: PayloadSettings) {}

  readTelemetry(source: Buffer | string, now: EpochMillis): ParsedTelemetry {
    return parseTelemetry(source, now, this.settings);
  }

  readAttributes(source: Buffer | string): TypedMembers {
    return parseAttributes(source, this.settings);
  }

  readClientRpc(source: Buffer | string, options: { readonly paramsRequired: boolean }): ParsedClientRpc {
    return parseClientRpc(source, options);
  }

  readReply(source: Buffer | string, shape: 'any' | 'object'): RpcReply {
    return parseRpcReply(source, shape);
  }

  readClaim(source: Buffer | string): ClaimRequest {
    return parseClaim(source);
  }

  write(message: DeviceMessage): string {
    return jsonText(message);
  }
}

/** The message as a device in JSON mode gets it: compact, numbers with their own text (contract 3.6). */
export function jsonText(message: DeviceMessage): string {
  switch (message.kind) {
    case 'attributes':
      return renderScopes(message);
    case 'update':
      return renderUpdate(message);
    case 'command':
      return `{"id":${message.id},"method":${JSON.stringify(message.method)},"params":${message.params}}`;
    case 'reply':
      return message.json;
  }
}

/** `{"client":{..},"shared":{..}}`; a scope without members is left out (contract 1.3.1). */
function renderScopes({ client, shared }: DeviceMessage & { kind: 'attributes' }): string {
  const members: string[] = [];
  if (client.length > 0) members.push(`"client":${renderObject(client)}`);
  if (shared.length > 0) members.push(`"shared":${renderObject(shared)}`);
  return `{${members.join(',')}}`;
}

/** The flat form of contract 1.5.3: `{"k":v,...}`, `{"deleted":["k"]}`, or both kinds of member in one object. */
function renderUpdate({ updated, deleted }: DeviceMessage & { kind: 'update' }): string {
  if (deleted.length === 0) return renderObject(updated);
  const gone: KeyValue = { key: DELETED_MEMBER, value: trustedValue(JSON.stringify(deleted)) };
  return renderObject([...updated, gone]);
}

const PLAIN_JSON = new JsonFormat({ typeCast: true, maxStringLength: 0 });

/** For waiters that ask for nothing else. */
export const JSON_ANSWERS: AnswerFormat = { current: () => PLAIN_JSON };
