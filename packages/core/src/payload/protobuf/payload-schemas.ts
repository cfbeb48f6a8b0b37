import { TandemError } from '../../errors';
import { type ReadSchema, readSchema } from './read-schema';
import { fieldOf, type ProtoField, type ProtoMessage, type ScalarName } from './schema';
import { SchemaFaults } from './schema-faults';
import type { SchemaLimits } from './schema-guard';

/** What a COAP profile with protobuf payloads holds: proto3 sources (server contract 4.3). */
export interface SchemaSources {
  readonly deviceTelemetryProtoSchema: string;
  readonly deviceAttributesProtoSchema: string;
  /** Empty ones are the default. */
  readonly deviceRpcRequestProtoSchema: string;
  readonly deviceRpcResponseProtoSchema: string;
}

/** The messages that payloads of a device are (device contract 4.2). */
export interface PayloadSchemas {
  readonly telemetry: ProtoMessage;
  readonly attributes: ProtoMessage;
  readonly rpcRequest: ProtoMessage;
  readonly rpcResponse: ProtoMessage;
}

/** Device contract 4.3. */
export const DEFAULT_RPC_REQUEST_SCHEMA = `syntax = "proto3";
package rpc;

message RpcRequestMsg {
  optional string method = 1;
  optional int32 requestId = 2;
  optional string params = 3;
}
`;

/** Device contract 4.3. */
export const DEFAULT_RPC_RESPONSE_SCHEMA = `syntax = "proto3";
package rpc;

message RpcResponseMsg {
  optional string payload = 1;
}
`;

interface Reading {
  readonly member: keyof SchemaSources;
  /** Empty: one has to be given. */
  readonly fallback: string;
  readonly check?: (checked: Checked) => void;
}

const READINGS: Readonly<Record<keyof PayloadSchemas, Reading>> = {
  telemetry: { member: 'deviceTelemetryProtoSchema', fallback: '', check: checkTelemetry },
  attributes: { member: 'deviceAttributesProtoSchema', fallback: '' },
  rpcRequest: {
    member: 'deviceRpcRequestProtoSchema',
    fallback: DEFAULT_RPC_REQUEST_SCHEMA,
    check: checkRpcRequest,
  },
  rpcResponse: { member: 'deviceRpcResponseProtoSchema', fallback: DEFAULT_RPC_RESPONSE_SCHEMA },
};

/**
 * Reads and checks the schemas of a profile that were not in force before: those were checked by the limits of then.
 * @throws TandemError BAD_REQUEST with a sentence that names the member and the line
 */
export function checkPayloadSchemas(sources: SchemaSources, limits: SchemaLimits, former?: SchemaSources): void {
  for (const reading of Object.values(READINGS)) {
    if (sources[reading.member] !== former?.[reading.member]) read(reading, sources, limits);
  }
}

/**
 * The schemas of a profile that was saved, each read when the first payload needs it: a large one takes tens of
 * milliseconds, in which nobody else is served.
 */
export class StoredSchemas implements PayloadSchemas {
  /** What does not read never will: it is not read again, nor logged, with every message. */
  readonly #read: { -readonly [kind in keyof PayloadSchemas]?: ProtoMessage | TandemError } = {};

  constructor(
    private readonly sources: SchemaSources,
    private readonly limits: SchemaLimits,
  ) {}

  get telemetry(): ProtoMessage {
    return this.#of('telemetry');
  }

  get attributes(): ProtoMessage {
    return this.#of('attributes');
  }

  get rpcRequest(): ProtoMessage {
    return this.#of('rpcRequest');
  }

  get rpcResponse(): ProtoMessage {
    return this.#of('rpcResponse');
  }

  #of(kind: keyof PayloadSchemas): ProtoMessage {
    this.#read[kind] ??= this.#attempt(kind);
    const known = this.#read[kind];
    if (known instanceof TandemError) throw known;
    return known;
  }

  #attempt(kind: keyof PayloadSchemas): ProtoMessage | TandemError {
    try {
      return read(READINGS[kind], this.sources, this.limits);
    } catch (cause) {
      // It was checked when it was saved: no device is to blame.
      return new TandemError('INTERNAL', { cause });
    }
  }
}

function read({ member, fallback, check }: Reading, sources: SchemaSources, limits: SchemaLimits): ProtoMessage {
  const faults = new SchemaFaults(member);
  const source = sources[member] || fallback;
  if (source === '') throw faults.inAll('a schema has to be given');
  const schema = readSchema(source, limits, faults);
  check?.(new Checked(schema, faults));
  return schema.message;
}

class Checked {
  constructor(
    private readonly schema: ReadSchema,
    private readonly faults: SchemaFaults,
  ) {}

  get message(): ProtoMessage {
    return this.schema.message;
  }

  fault(sentence: string, field?: ProtoField): TandemError {
    return this.faults.at(this.schema.lineOf(field), sentence);
  }

  /** @throws TandemError BAD_REQUEST when it is of another type */
  requireScalar(field: ProtoField, wanted: ScalarName): void {
    if (field.type.kind !== 'scalar' || field.type.name !== wanted) {
      throw this.fault(`'${field.name}' must be of type ${wanted}`, field);
    }
  }
}

/** With exactly `ts` and `values` the device names the time of its values (server contract 4.3). */
function checkTelemetry(checked: Checked): void {
  const { message } = checked;
  if (message.fields.length === 0) throw checked.fault(`'${message.name}' has no fields`);
  const [ts, values] = [fieldOf(message, 'ts'), fieldOf(message, 'values')];
  if (message.fields.length !== 2 || !ts || !values) return;
  if (values.type.kind !== 'message') throw checked.fault("'values' must be a message", values);
  if (values.repeated) throw checked.fault("'values' must not be repeated", values);
  checked.requireScalar(ts, 'int64');
  if (!ts.optional) throw checked.fault("'ts' must be optional", ts);
}

function checkRpcRequest(checked: Checked): void {
  const { message } = checked;
  const [method, requestId, params] = ['method', 'requestId', 'params'].map((name) => fieldOf(message, name));
  if (message.fields.length !== 3 || !method || !requestId || !params) {
    throw checked.fault(`'${message.name}' must have exactly the fields method, requestId and params`);
  }
  checked.requireScalar(method, 'string');
  checked.requireScalar(requestId, 'int32');
  const oneofs = new Set<string>();
  for (const field of message.fields) {
    if (field.repeated) throw checked.fault(`'${field.name}' must not be repeated`, field);
    if (field.oneof === undefined) continue;
    if (oneofs.has(field.oneof)) throw checked.fault(`'${field.name}' must not exclude another`, field);
    oneofs.add(field.oneof);
  }
}
