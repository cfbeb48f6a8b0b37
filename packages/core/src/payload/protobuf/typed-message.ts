import type { EpochMillis } from '../../platform/clock';
import { encodeRecords } from '../../telemetry/record-lines';
import { badPayload } from '../bad-payload';
import type { JsonNode } from '../json-node';
import { keyFault } from '../storable-key';
import { type ParsedTelemetry, timestamp } from '../telemetry-payload';
import { type PayloadSettings, type TypedMembers, typeNode } from '../typing';
import { doubleValue, type KeyValue, stringValue, trustedValue, type Value } from '../value';
import { decodeMessage } from './decode-message';
import { MessageJson, shortest } from './message-json';
import { type FieldValue, MessageValue } from './message-value';
import type { ProtoField, ProtoMessage } from './schema';

/**
 * A telemetry payload. One that has `ts` and `values` names its time itself (device contract 4.4).
 * @throws TandemError BAD_PAYLOAD
 */
export function readTelemetryMessage(
  message: ProtoMessage,
  bytes: Buffer,
  now: EpochMillis,
  settings: PayloadSettings,
): ParsedTelemetry {
  const root = decodeMessage(message, bytes);
  const json = new MessageJson();
  const ts = memberOf(root, 'ts', json);
  const values = memberOf(root, 'values', json);
  if (ts === undefined || values === undefined) return telemetry(now, typeFields(root, settings, json));
  if (!(values.given instanceof MessageValue)) throw badPayload('`values` is not a message');
  return telemetry(timestamp(ts.node), typeFields(values.given, settings, json));
}

/** @throws TandemError BAD_PAYLOAD */
export function readAttributesMessage(message: ProtoMessage, bytes: Buffer, settings: PayloadSettings): TypedMembers {
  return typeFields(decodeMessage(message, bytes), settings, new MessageJson());
}

function telemetry(ts: EpochMillis, { entries, droppedKeys }: TypedMembers): ParsedTelemetry {
  const records = entries.length === 0 ? [] : [{ ts, values: entries }];
  return { lines: encodeRecords(records), points: entries.length, droppedKeys };
}

function memberOf(root: MessageValue, jsonName: string, json: MessageJson) {
  const at = root.message.fields.findIndex((field) => field.jsonName === jsonName);
  const field = root.message.fields[at];
  if (!field) return undefined;
  const node = json.member(root, at, field);
  return node === undefined ? undefined : { node, given: root.get(at) };
}

/**
 * Every field as a key and its value: what contract section 3 makes of the JSON form, but that the schema is believed where
 * it says more than JSON can. A number with a fraction is a DOUBLE whatever it looks like, an integer of 64 bits is a LONG
 * even where strings are not turned into numbers, and bytes stay text though their base64 may be of digits alone.
 */
function typeFields(root: MessageValue, settings: PayloadSettings, json: MessageJson): TypedMembers {
  const entries: KeyValue[] = [];
  let droppedKeys = 0;
  const { fields } = root.message;
  const ofBytes = { ...settings, typeCast: false };
  for (let at = 0; at < fields.length; at++) {
    const field = fields[at] as ProtoField;
    const given = root.get(at);
    if (given === undefined && field.hasPresence) continue;
    const key = field.jsonName;
    if (keyFault(key) !== undefined) {
      droppedKeys++;
      continue;
    }
    const value =
      numberOf(field, given) ?? typed(json.member(root, at, field), key, isBytes(field) ? ofBytes : settings);
    if (value !== undefined) entries.push({ key, value });
  }
  return { entries, droppedKeys };
}

const isBytes = ({ type }: ProtoField): boolean => type.kind === 'scalar' && type.name === 'bytes';

const typed = (node: JsonNode | undefined, key: string, settings: PayloadSettings): Value | undefined =>
  node === undefined || node === null ? undefined : typeNode(node, key, settings);

/** @returns undefined for everything but numbers of which the schema says more than their JSON form */
function numberOf(field: ProtoField, given: FieldValue | undefined): Value | undefined {
  if (field.type.kind !== 'scalar' || field.repeated) return undefined;
  switch (field.type.name) {
    case 'double':
    case 'float': {
      const value = (given as number | undefined) ?? 0;
      return Number.isFinite(value) ? doubleValue(shortest(field.type, value)) : undefined;
    }
    case 'int64':
    case 'uint64':
    case 'sint64':
    case 'fixed64':
    case 'sfixed64': {
      const value = (given as bigint | undefined) ?? 0n;
      // The upper half of those without a sign is no LONG.
      return BigInt.asIntN(64, value) === value ? trustedValue(String(value)) : stringValue(String(value));
    }
    default:
      return undefined;
  }
}
