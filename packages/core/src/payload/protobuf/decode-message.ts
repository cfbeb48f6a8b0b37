import { isUtf8 } from 'node:buffer';
import { badPayload } from '../bad-payload';
import { MAX_VALUES } from '../json-reader';
import { MessageValue, placeOf, type ScalarValue, type SingleValue } from './message-value';
import type { ProtoEnum, ProtoField, ProtoMessage, ProtoScalar } from './schema';
import { Room, WireReader } from './wire-reader';
import { LENGTH_DELIMITED, VARINT, WIRE_TYPES } from './wire-types';

/**
 * Reads a payload by its message, as protobuf has it: of a field that is there twice the last one counts, or both where it is
 * a message; values of repeated fields may be packed or not; fields that are unknown, or of another kind than the schema
 * says, are stepped over.
 *
 * What it costs has a bound, whatever the bytes: a field can be two bytes, and a message of two bytes has room for all its
 * fields, so the fields of the payload and those of its messages are counted.
 * @param bytes may be kept: values of type `bytes` are part of it
 * @throws TandemError BAD_PAYLOAD
 */
export function decodeMessage(message: ProtoMessage, bytes: Buffer): MessageValue {
  const decoder = new Decoder();
  const value = decoder.newMessage(message);
  decoder.fill(value, new WireReader(bytes, decoder.room));
  return value;
}

class Decoder {
  readonly room = new Room(MAX_VALUES, `The payload has more than ${MAX_VALUES} values`);

  newMessage(message: ProtoMessage): MessageValue {
    this.room.take(message.fields.length);
    return new MessageValue(message);
  }

  /** As deep as messages are within messages, which the schema says. */
  fill(value: MessageValue, reader: WireReader): void {
    const { message } = value;
    while (!reader.done) {
      const tag = reader.tag();
      const at = placeOf(message, tag >>> 3);
      const field = message.fields[at];
      if (!field || !this.#field(value, at, field, tag & 7, reader)) reader.skip(tag);
    }
  }

  /** @returns false where the field cannot be of this wire type; then nothing has been read */
  #field(value: MessageValue, at: number, field: ProtoField, wireType: number, reader: WireReader): boolean {
    const { type } = field;
    const expected = type.kind === 'message' ? LENGTH_DELIMITED : wireTypeOf(type);
    if (type.kind !== 'message' && field.repeated && wireType === LENGTH_DELIMITED && expected !== LENGTH_DELIMITED) {
      const list = listOf(value, at, field);
      for (const packed = reader.inner(); !packed.done; ) {
        this.room.take(1);
        list.push(readScalar(type, packed));
      }
      return true;
    }
    if (wireType !== expected) return false;
    if (type.kind !== 'message') {
      const scalar = readScalar(type, reader);
      if (field.repeated) listOf(value, at, field).push(scalar);
      else value.set(at, field, scalar);
      return true;
    }
    const known = field.repeated ? undefined : value.get(at);
    const inner = known instanceof MessageValue ? known : this.newMessage(type);
    this.fill(inner, reader.inner());
    if (field.repeated) listOf(value, at, field).push(inner);
    else if (known === undefined) value.set(at, field, inner);
    return true;
  }
}

function listOf(value: MessageValue, at: number, field: ProtoField): SingleValue[] {
  const known = value.get(at);
  if (Array.isArray(known)) return known;
  const list: SingleValue[] = [];
  value.set(at, field, list);
  return list;
}

const wireTypeOf = (type: ProtoScalar | ProtoEnum): number => (type.kind === 'enum' ? VARINT : WIRE_TYPES[type.name]);

function readScalar(type: ProtoScalar | ProtoEnum, reader: WireReader): ScalarValue {
  switch (type.kind === 'enum' ? 'int32' : type.name) {
    case 'double':
      return reader.double();
    case 'float':
      return reader.float();
    case 'int32':
      reader.varint();
      return reader.low | 0;
    case 'uint32':
      reader.varint();
      return reader.low >>> 0;
    case 'sint32':
      reader.varint();
      return (reader.low >>> 1) ^ -(reader.low & 1);
    case 'int64':
      reader.varint();
      return reader.signed64();
    case 'uint64':
      reader.varint();
      return reader.unsigned64();
    case 'sint64': {
      reader.varint();
      const zigzag = reader.unsigned64();
      return (zigzag >> 1n) ^ -(zigzag & 1n);
    }
    case 'fixed32':
      reader.fixed32();
      return reader.low >>> 0;
    case 'sfixed32':
      reader.fixed32();
      return reader.low;
    case 'fixed64':
      reader.fixed64();
      return reader.unsigned64();
    case 'sfixed64':
      reader.fixed64();
      return reader.signed64();
    case 'bool':
      reader.varint();
      return (reader.low | reader.high) !== 0;
    case 'string':
      return textOf(reader.chunk());
    case 'bytes':
      return reader.chunk();
  }
}

function textOf(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw badPayload('Not protobuf: a string is not UTF-8');
  return bytes.toString('utf8');
}
