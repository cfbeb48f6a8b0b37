import { type JsonNode, JsonNumber, JsonObject, renderNode } from '../json-node';
import { doubleValue } from '../value';
import { decodeMessage } from './decode-message';
import { MessageValue, type ScalarValue, type SingleValue } from './message-value';
import type { ProtoEnum, ProtoField, ProtoMessage, ProtoScalar } from './schema';
import { Room } from './wire-reader';

/**
 * How many characters the names of fields and of values of enums may have in one payload. They come from the schema and not
 * from the payload, in which a name of any length is one byte.
 */
const MAX_NAME_CHARACTERS = 1_048_576;

/**
 * A payload as the JSON form of protobuf (device contract 4.4): names in lowerCamelCase, by number; what has no presence is
 * always there; 64-bit integers are strings, as are NaN and the infinities; enums are names, bytes base64.
 * @throws TandemError BAD_PAYLOAD
 */
export function decodeToJson(message: ProtoMessage, bytes: Buffer): string {
  return renderNode(new MessageJson().object(decodeMessage(message, bytes)));
}

/** Makes JSON of the values of one payload. */
export class MessageJson {
  readonly #room = new Room(MAX_NAME_CHARACTERS, 'The payload is too long as JSON');

  object(value: MessageValue): JsonObject {
    const names: string[] = [];
    const nodes: JsonNode[] = [];
    const { fields } = value.message;
    for (let at = 0; at < fields.length; at++) {
      const field = fields[at] as ProtoField;
      const node = this.member(value, at, field);
      if (node === undefined) continue;
      names.push(this.#named(field.jsonName));
      nodes.push(node);
    }
    return new JsonObject(names, nodes);
  }

  /** @returns undefined where it is absent and can be told from its default */
  member(value: MessageValue, at: number, field: ProtoField): JsonNode | undefined {
    const given = value.get(at);
    if (given === undefined) {
      if (field.repeated) return [];
      if (field.hasPresence || field.type.kind === 'message') return undefined;
      return this.#scalar(field.type, defaultOf(field.type));
    }
    return Array.isArray(given) ? given.map((item) => this.#single(field, item)) : this.#single(field, given);
  }

  #single({ type }: ProtoField, value: SingleValue): JsonNode {
    if (value instanceof MessageValue) return this.object(value);
    return type.kind === 'message' ? null : this.#scalar(type, value);
  }

  #scalar(type: ProtoScalar | ProtoEnum, value: ScalarValue): JsonNode {
    switch (typeof value) {
      case 'bigint':
        return String(value);
      case 'number':
        if (type.kind === 'enum') {
          const name = type.names.get(value);
          return name === undefined ? value : this.#named(name);
        }
        if (type.name !== 'double' && type.name !== 'float') return value;
        return Number.isFinite(value) ? new JsonNumber(fractionText(type, value)) : String(value);
      case 'object':
        return value.toString('base64');
      default:
        return value;
    }
  }

  #named(name: string): string {
    this.#room.take(name.length);
    return name;
  }
}

function defaultOf(type: ProtoScalar | ProtoEnum): ScalarValue {
  if (type.kind === 'enum') return 0;
  switch (type.name) {
    case 'bool':
      return false;
    case 'string':
      return '';
    case 'bytes':
      return Buffer.alloc(0);
    case 'int64':
    case 'uint64':
    case 'sint64':
    case 'fixed64':
    case 'sfixed64':
      return 0n;
    default:
      return 0;
  }
}

const MIN_NORMAL_FLOAT = 2 ** -126;
/** Up to there every whole number is a float. */
const MAX_WHOLE_FLOAT = 2 ** 24;

/** Six digits of any float are its own; nine tell it from all others. Those next to zero have fewer. */
const fewestDigits = (float: number): number => (Math.abs(float) < MIN_NORMAL_FLOAT ? 1 : 6);

/** @param value as it was read: a float is `0.1` and not the double next to it */
export function shortest({ name }: ProtoScalar, value: number): number {
  if (name !== 'float' || (Number.isInteger(value) && Math.abs(value) <= MAX_WHOLE_FLOAT)) return value;
  for (let digits = fewestDigits(value); digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(9));
}

const fractionText = (type: ProtoScalar, value: number): string =>
  Object.is(value, -0) ? '-0.0' : doubleValue(shortest(type, value));
