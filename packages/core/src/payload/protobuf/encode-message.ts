import { TandemError } from '../../errors';
import { isIntegral, parseDecimal, wholeDigits } from '../decimal';
import { isJsonArray, type JsonNode, JsonNumber, JsonObject, renderNode } from '../json-node';
import type { ProtoEnum, ProtoField, ProtoMessage, ProtoType, ScalarName } from './schema';
import { FIXED_32, FIXED_64, WIRE_TYPES } from './wire-types';
import { WireWriter } from './wire-writer';

/**
 * Writes JSON as a message (device contract 4.4). Members are found by the name of the field or its name in JSON; those of
 * other names are left out, as is null. Scalars become text where the field is text.
 * @param asText names of fields that take an object or an array as its compact JSON text, where they are strings
 * @throws TandemError UNDELIVERABLE when a value cannot be of the type that the schema has for it
 */
export function encodeFromJson(message: ProtoMessage, node: JsonNode, asText: readonly string[] = []): Buffer {
  const writer = new WireWriter();
  new Encoder(asText).message(message, node, '', writer);
  return writer.finish();
}

class Encoder {
  constructor(private readonly asText: readonly string[]) {}

  /** @param path of the member that it is; empty at the top */
  message(message: ProtoMessage, node: JsonNode, path: string, writer: WireWriter): void {
    if (!(node instanceof JsonObject)) throw cannotBe(path, `the message '${message.name}'`);
    const oneofs = new Map<string, string>();
    for (const [field, value] of membersOf(message, node)) {
      const member = path === '' ? field.name : `${path}.${field.name}`;
      if (field.oneof !== undefined) {
        const other = oneofs.get(field.oneof);
        if (other !== undefined) throw undeliverable(`'${member}' and '${other}' exclude each other`);
        oneofs.set(field.oneof, member);
      }
      if (field.repeated) this.#list(field, value, member, writer);
      else this.#single(field, value, member, writer, !field.hasPresence);
    }
  }

  #list(field: ProtoField, node: JsonNode, path: string, writer: WireWriter): void {
    if (!isJsonArray(node)) throw cannotBe(path, 'a list');
    if (node.length === 0) return;
    const name = numberName(field.type);
    if (name === undefined) {
      for (const item of node) this.#single(field, item, path, writer, false);
      return;
    }
    const packed = new WireWriter();
    for (const item of node) writeBare(packed, name, numeric(field.type, name, item, path));
    writer.bytesField(field.number, packed.finish());
  }

  /** @param defaultIsAbsent whether the default is not written */
  #single(
    { type, number }: ProtoField,
    node: JsonNode,
    path: string,
    writer: WireWriter,
    defaultIsAbsent: boolean,
  ): void {
    const name = numberName(type);
    if (type.kind === 'message') {
      const inner = new WireWriter();
      this.message(type, node, path, inner);
      writer.bytesField(number, inner.finish());
    } else if (name === undefined) {
      const value = type.name === 'string' ? this.#text(node, path) : base64(node, path);
      if (value.length > 0 || !defaultIsAbsent) writer.bytesField(number, value);
    } else {
      const value = numeric(type, name, node, path);
      if (!defaultIsAbsent || !isDefault(value)) writeField(writer, name, number, value);
    }
  }

  #text(node: JsonNode, path: string): string {
    if (typeof node === 'string') return node;
    const isScalar = node === null || typeof node !== 'object' || node instanceof JsonNumber;
    if (node === null || (!isScalar && !this.asText.includes(path))) throw cannotBe(path, 'of type string');
    return renderNode(node);
  }
}

const namesOf = new WeakMap<ProtoMessage, ReadonlyMap<string, number>>();

/** Place of a field among those of its message, by either of its names. */
function placesOf(message: ProtoMessage): ReadonlyMap<string, number> {
  let places = namesOf.get(message);
  if (!places) {
    const { fields } = message;
    places = new Map([
      ...fields.map(({ jsonName }, at) => [jsonName, at] as const),
      ...fields.map(({ name }, at) => [name, at] as const),
    ]);
    namesOf.set(message, places);
  }
  return places;
}

/** What of the object has a field, by number. Of two names of one field the last counts. */
function membersOf(message: ProtoMessage, { names, values }: JsonObject): [ProtoField, JsonNode][] {
  const places = placesOf(message);
  const found = new Map<number, JsonNode>();
  for (let i = 0; i < names.length; i++) {
    const at = places.get(names[i] ?? '');
    const value = values[i] ?? null;
    if (at !== undefined && value !== null) found.set(at, value);
  }
  return [...found].sort(([a], [b]) => a - b).map(([at, value]) => [message.fields[at] as ProtoField, value]);
}

/** -0 is none: it has a bit of its own. */
const isDefault = (value: number | bigint): boolean => value === 0n || Object.is(value, 0);

type NumberName = Exclude<ScalarName, 'string' | 'bytes'>;
/** How numbers of the type are written; undefined for what is no number. */
function numberName(type: ProtoType): NumberName | undefined {
  if (type.kind === 'enum') return 'int32';
  return type.kind === 'message' || type.name === 'string' || type.name === 'bytes' ? undefined : type.name;
}

type Range = readonly [bigint, bigint];

const INT_32: Range = [-(2n ** 31n), 2n ** 31n - 1n];
const UINT_32: Range = [0n, 2n ** 32n - 1n];
const INT_64: Range = [-(2n ** 63n), 2n ** 63n - 1n];
const UINT_64: Range = [0n, 2n ** 64n - 1n];
const RANGES: Readonly<Record<Exclude<NumberName, 'double' | 'float' | 'bool'>, Range>> = {
  int32: INT_32,
  sint32: INT_32,
  sfixed32: INT_32,
  uint32: UINT_32,
  fixed32: UINT_32,
  int64: INT_64,
  sint64: INT_64,
  sfixed64: INT_64,
  uint64: UINT_64,
  fixed64: UINT_64,
};

/** Digits of the largest integer of any field; more are refused before they are made into a number. */
const MAX_DIGITS = 20;
const JSON_NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
const MAX_FLOAT = 3.4028235677973366e38;

function numeric(type: ProtoType, name: NumberName, node: JsonNode, path: string): number | bigint {
  if (type.kind === 'enum') return enumNumber(type, node, path);
  if (name === 'bool') {
    if (node === true || node === 'true') return 1;
    if (node === false || node === 'false') return 0;
    throw cannotBe(path, 'of type bool');
  }
  const text = numberText(node);
  if (name === 'double' || name === 'float') {
    if (text !== undefined) {
      const value = Number(text);
      if (Number.isFinite(value) && (name === 'double' || Math.abs(value) < MAX_FLOAT)) return value;
    } else if (node === 'NaN' || node === 'Infinity' || node === '-Infinity') {
      return Number(node);
    }
    throw cannotBe(path, `of type ${name}`);
  }
  const [min, max] = RANGES[name];
  const value = text === undefined ? undefined : integer(text);
  if (value === undefined || value < min || value > max) throw cannotBe(path, `of type ${name}`);
  return value;
}

function enumNumber({ name, names }: ProtoEnum, node: JsonNode, path: string): number {
  if (typeof node === 'string') {
    for (const [number, known] of names) if (known === node) return number;
  }
  const text = numberText(node);
  const value = text === undefined ? undefined : integer(text);
  const [min, max] = INT_32;
  if (value === undefined || value < min || value > max) throw cannotBe(path, `one of '${name}'`);
  return Number(value);
}

/** A number, also as a string. */
function numberText(node: JsonNode): string | undefined {
  if (typeof node === 'number') return String(node);
  if (node instanceof JsonNumber) return node.text;
  return typeof node === 'string' && JSON_NUMBER.test(node) ? node : undefined;
}

function integer(text: string): bigint | undefined {
  const decimal = parseDecimal(text);
  if (!isIntegral(decimal)) return undefined;
  if (decimal.digits === '0') return 0n;
  if (decimal.digits.length - decimal.scale > MAX_DIGITS) return undefined;
  const whole = BigInt(wholeDigits(decimal));
  return decimal.negative ? -whole : whole;
}

function writeField(writer: WireWriter, name: NumberName, number: number, value: number | bigint): void {
  writer.tag(number, WIRE_TYPES[name]);
  writeBare(writer, name, value);
}

function writeBare(writer: WireWriter, name: NumberName, value: number | bigint): void {
  if (name === 'double') writer.double(Number(value));
  else if (name === 'float') writer.float(Number(value));
  else if (WIRE_TYPES[name] === FIXED_64) writer.fixed64(BigInt(value));
  else if (WIRE_TYPES[name] === FIXED_32) writer.fixed32(Number(value));
  else writer.varint(zigzag(name, value));
}

function zigzag(name: NumberName, value: number | bigint): number | bigint {
  if (name !== 'sint32' && name !== 'sint64') return value;
  const signed = BigInt(value);
  return signed < 0n ? -signed * 2n - 1n : signed * 2n;
}

const BASE_64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

function base64(node: JsonNode, path: string): Buffer {
  if (typeof node !== 'string' || !BASE_64.test(node)) throw cannotBe(path, 'bytes in base64');
  return Buffer.from(node, 'base64');
}

const undeliverable = (what: string) =>
  new TandemError('UNDELIVERABLE', { message: `The command could not be converted to protobuf: ${what}` });

const cannotBe = (path: string, wanted: string) =>
  undeliverable(path === '' ? `it cannot be ${wanted}` : `'${path}' cannot be ${wanted}`);
