import type { EpochMillis, Millis } from '../../platform/clock';
import { badPayload } from '../bad-payload';
import { compactJson } from '../compact-json';
import type { ParsedClientRpc } from '../rpc-payload';
import { type KeyValue, type Value, type ValueType, valueToText, valueType } from '../value';
import { decodeMessage } from './decode-message';
import { CLAIM_DEVICE, RPC_REQUEST } from './fixed-schemas';
import { WireWriter } from './wire-writer';

/** An attribute as its message has it. The time may be left out. */
export type DatedValue = KeyValue & { readonly lastUpdateTs?: EpochMillis };

/** `KeyValueType` of `proto/transport.proto`, and the field of `KeyValueProto` that holds a value of the type. */
const VALUE_TYPES: Readonly<Record<ValueType, readonly [type: number, field: number]>> = {
  BOOLEAN: [0, 3],
  LONG: [1, 4],
  DOUBLE: [2, 5],
  STRING: [3, 6],
  JSON: [4, 7],
};

/** A JSON object that has nothing but `error`, a string. */
const ERROR_ALONE = /^\{"error":("[^"\\]*(?:\\.[^"\\]*)*")\s*\}\s*$/;

/** `GetAttributeResponseMsg`: the answer to a read of attributes. */
export function attributeResponse(client: readonly DatedValue[], shared: readonly DatedValue[]): Buffer {
  const writer = new WireWriter();
  for (const one of client) writer.bytesField(2, dated(one));
  for (const one of shared) writer.bytesField(3, dated(one));
  return writer.finish();
}

/** `AttributeUpdateNotificationMsg`: nothing at all where there are no attributes. */
export function attributeUpdate(updated: readonly DatedValue[], deleted: readonly string[]): Buffer {
  const writer = new WireWriter();
  for (const one of updated) writer.bytesField(1, dated(one));
  for (const key of deleted) writer.bytesField(2, key);
  return writer.finish();
}

/**
 * `ToServerRpcResponseMsg`: the answer to a command of the device.
 * @param json what a device in JSON mode would get; `{"error":"..."}` has a field of its own here
 */
export function clientRpcResponse(json: string): Buffer {
  const writer = new WireWriter();
  const error = errorOf(json);
  if (error === undefined) writer.bytesField(2, json);
  else writer.bytesField(3, error);
  return writer.finish();
}

/** A reply may nest deeper than what comes in, so it is looked at and not read. */
function errorOf(json: string): string | undefined {
  const [, text] = ERROR_ALONE.exec(json) ?? [];
  return text === undefined ? undefined : (JSON.parse(text) as string);
}

/**
 * `RpcRequest`: a command of the device.
 * @throws TandemError BAD_PAYLOAD
 */
export function readClientRpcMessage(
  bytes: Buffer,
  { paramsRequired }: { readonly paramsRequired: boolean },
): ParsedClientRpc {
  const request = decodeMessage(RPC_REQUEST, bytes);
  const [method, params] = [request.get(0) as string | undefined, request.get(1) as string | undefined];
  if (!method) throw badPayload('`method` is missing');
  if (params === undefined && paramsRequired) throw badPayload('`params` is missing');
  return { method, params: params ? compactJson(params) : 'null' };
}

/**
 * `ClaimDevice`; an empty payload is one without anything in it.
 * @throws TandemError BAD_PAYLOAD
 */
export function readClaimMessage(bytes: Buffer): { readonly secretKey?: string; readonly durationMs?: Millis } {
  const claim = decodeMessage(CLAIM_DEVICE, bytes);
  const secretKey = claim.get(0) as string | undefined;
  const durationMs = claim.get(1) as bigint | undefined;
  return {
    ...(secretKey === undefined ? {} : { secretKey }),
    ...(durationMs === undefined ? {} : { durationMs: Number(durationMs) }),
  };
}

/** `TsKvProto` with a `KeyValueProto` in it; zeros are left out, as proto3 has it. */
function dated({ key, value, lastUpdateTs = 0 }: DatedValue): Buffer {
  const [type, field] = VALUE_TYPES[valueType(value)];
  const inner = new WireWriter();
  inner.bytesField(1, key);
  if (type !== 0) inner.varintField(2, type);
  writeValue(inner, field, value);
  const outer = new WireWriter();
  if (lastUpdateTs !== 0) outer.varintField(1, lastUpdateTs);
  outer.bytesField(2, inner.finish());
  return outer.finish();
}

function writeValue(writer: WireWriter, field: number, value: Value): void {
  switch (valueType(value)) {
    case 'BOOLEAN':
      if (value === 'true') writer.varintField(field, 1);
      return;
    case 'LONG':
      if (value !== '0') writer.varintField(field, BigInt(value));
      return;
    case 'DOUBLE':
      if (Number(value) !== 0) writer.doubleField(field, Number(value));
      return;
    default: {
      const text = valueToText(value);
      if (text !== '') writer.bytesField(field, text);
    }
  }
}
