import fc from 'fast-check';
import { parse, Root } from 'protobufjs';
import { TandemError } from '../../errors';
import { decodeToJson } from './message-json';
import { readSchema } from './read-schema';
import { SchemaFaults } from './schema-faults';

const LIMITS = { maxBytes: 65_536, maxTypes: 100, maxFields: 500, maxNesting: 16 };
const head = (body: string) => `syntax = "proto3";\n${body}`;
const messageOf = (body: string) => readSchema(head(body), LIMITS, new SchemaFaults('schema')).message;

/** @param hex blanks are for the eye */
const bytesOf = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const json = (body: string, hex: string): string => decodeToJson(messageOf(body), bytesOf(hex));

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof TandemError && error.code === 'BAD_PAYLOAD') return error.message;
    throw error;
  }
  throw new Error('was accepted');
}

describe('A protobuf payload as JSON', () => {
  it('has every field without presence, with its default, and no other that was not sent', () => {
    const body = `
      enum Mode { OFF = 0; ON = 1; }
      message Inner { double a = 1; }
      message T {
        double d = 1; float f = 2; int32 i = 3; int64 l = 4; uint64 u = 5; bool b = 6; string s = 7; bytes y = 8;
        Mode mode = 9; repeated int32 list = 10; repeated Inner inners = 11;
        optional double od = 21; Inner inner = 22; oneof either { string left = 23; bool right = 24; }
      }`;
    expect(json(body, '')).toBe(
      '{"d":0.0,"f":0.0,"i":0,"l":"0","u":"0","b":false,"s":"","y":"","mode":"OFF","list":[],"inners":[]}',
    );
    expect(json(body, 'a901 0000000000000000 b201 00 ba01 00')).toContain('"od":0.0,"inner":{"a":0.0},"left":""');
  });

  it.each([
    ['a double', 'double', '09 0000000000003640', '22.0'],
    ['a double of ten million', 'double', '09 00000000 d0126341', '1.0E7'],
    ['minus zero', 'double', '09 0000000000000080', '-0.0'],
    ['no number', 'double', '09 000000000000f87f', '"NaN"'],
    ['infinity', 'float', '0d 0000807f', '"Infinity"'],
    ['minus infinity', 'double', '09 000000000000f0ff', '"-Infinity"'],
    ['a float that is not the double next to it', 'float', '0d cdcccc3d', '0.1'],
    ['a float of nine digits', 'float', '0d 0100803f', '1.0000001'],
    ['a large float', 'float', '0d ec78ad60', '1.0E20'],
    ['the smallest float', 'float', '0d 01000000', '1.0E-45'],
    ['a negative int32 in ten bytes', 'int32', '08 ffffffffffffffffff01', '-1'],
    ['an int32 of which more bits were sent', 'int32', '08 8180808010', '1'],
    ['the smallest int64', 'int64', '08 80808080808080808001', '"-9223372036854775808"'],
    ['the largest uint64', 'uint64', '08 ffffffffffffffffff01', '"18446744073709551615"'],
    ['a uint32', 'uint32', '08 ffffffff0f', '4294967295'],
    ['a sint32', 'sint32', '08 ffffffff0f', '-2147483648'],
    ['a sint64', 'sint64', '08 ffffffffffffffffff01', '"-9223372036854775808"'],
    ['a fixed32', 'fixed32', '0d ffffffff', '4294967295'],
    ['an sfixed32', 'sfixed32', '0d ffffffff', '-1'],
    ['a fixed64', 'fixed64', '09 ffffffffffffffff', '"18446744073709551615"'],
    ['an sfixed64', 'sfixed64', '09 feffffffffffffff', '"-2"'],
    ['a bool of another number than 1', 'bool', '08 80808080808080808001', 'true'],
    ['a text of two bytes a letter', 'string', '0a 02 c3a4', '"ä"'],
    ['bytes', 'bytes', '0a 03 fbff01', '"+/8B"'],
  ])('holds %s', (_case, type, hex, expected) => {
    expect(json(`message T { ${type} a = 1; }`, hex)).toBe(`{"a":${expected}}`);
  });

  it('has enums by name, of two names for one number either, and numbers without a name as they are', () => {
    const body = 'enum Mode { OFF = 0; ON = 1; BACK = -1; } message T { repeated Mode a = 1; }';
    expect(json(body, '0a 0d 00 01 ffffffffffffffffff01 07')).toBe('{"a":["OFF","ON","BACK",7]}');
  });

  it('has names in lowerCamelCase, in the order of their numbers', () => {
    expect(json('message T { bool last_of_all = 9; bool inner_key = 1; }', '48 01')).toBe(
      '{"innerKey":false,"lastOfAll":true}',
    );
  });

  it('takes values of a repeated field packed, one by one, and both', () => {
    expect(json('message T { repeated int32 a = 1; }', '08 01 0a 02 0203 08 04')).toBe('{"a":[1,2,3,4]}');
    expect(json('message T { repeated double a = 1; }', `0a 10 ${'00'.repeat(16)}`)).toBe('{"a":[0.0,0.0]}');
    expect(json('message T { repeated string a = 1; }', '0a 00 0a 01 61')).toBe('{"a":["","a"]}');
    expect(json('message I { bool b = 1; } message T { repeated I a = 1; }', '0a 00 0a 02 0801')).toBe(
      '{"a":[{"b":false},{"b":true}]}',
    );
  });

  it('has the last of values that are there twice, and messages merged', () => {
    expect(json('message T { int32 a = 1; }', '08 01 08 02')).toBe('{"a":2}');
    const body = 'message I { int32 a = 1; int32 b = 2; repeated int32 c = 3; } message T { I i = 1; }';
    expect(json(body, '0a 06 0801 1001 1801 0a 04 0802 1802')).toBe('{"i":{"a":2,"b":1,"c":[1,2]}}');
  });

  it('has of a oneof the member that came last', () => {
    const body = 'message I { bool x = 1; } message T { oneof either { bool a = 1; I b = 2; } }';
    expect(json(body, '08 01 12 02 0801')).toBe('{"b":{"x":true}}');
    expect(json(body, '12 02 0801 08 00')).toBe('{"a":false}');
    expect(json(body, '12 02 0801 08 00 12 00')).toBe('{"b":{"x":false}}');
  });

  it('leaves out fields that nobody knows, groups with all that is in them, and those of another kind', () => {
    const body = 'message T { bool a = 1; }';
    const unknown = '10 05 19 0000000000000000 25 00000000 2a 01 ff 33 10 01 3b 3c 2a 00 34';
    expect(json(body, `${unknown} 08 01`)).toBe('{"a":true}');
    expect(json(body, '08 01 0d 00000000 09 0000000000000000 0a 01 00 0b 0c')).toBe('{"a":true}');
    expect(json('message T { string a = 1; }', '08 01')).toBe('{"a":""}');
  });

  it.each<[string, string]>([
    ['a byte with more to come', 'ff'],
    ['JSON', Buffer.from('{"a":1}').toString('hex')],
    ['a tag without a value', '08'],
    ['a fixed value that is cut short', '1d 000000'],
    ['a long fixed value that is cut short', '21 00000000000000'],
    ['a text that is longer than the payload', '12 05 61'],
    ['a text of four gigabytes', '12 ffffffff0f 61'],
    ['a text of more than four gigabytes', '12 8080808010 61'],
    ['a text that is no UTF-8', '12 01 ff'],
    ['half a pair of surrogates', '12 03 eda080'],
    ['a number of eleven bytes', '08 8080808080808080808001'],
    ['a field without a number', '00 01'],
    ['a field of a number beyond all', '88808080 10 01'],
    ['a field of kind 6', '0e'],
    ['a field of kind 7', '0f'],
    ['a group that does not end', '33 08 01'],
    ['a group that ends as another', '33 3c'],
    ['the end of a group that did not begin', '0c'],
    ['the end of an unknown group', '34'],
    ['groups in groups', '33'.repeat(101) + '34'.repeat(101)],
    ['a message that ends within a value', '2a 02 0880'],
    ['a message that is cut short', '2a 02 08'],
    ['packed values that end within one', '32 02 0180'],
  ])('is refused when it is or has %s', (_case, hex) => {
    const body = `message I { int32 a = 1; }
      message T { int32 a = 1; string s = 2; float f = 3; double d = 4; I i = 5; repeated int32 p = 6; }`;
    expect(refusal(() => json(body, hex))).toMatch(/^Not protobuf: /);
  });

  it.each<[string, string, Buffer]>([
    ['numbers', 'repeated int32 a = 1;', packed(100_001)],
    ['numbers one by one', 'repeated int32 a = 1;', Buffer.alloc(200_002, 0x08)],
    ['a number again and again', 'int32 a = 1;', Buffer.alloc(200_002, 0x08)],
    ['unknown fields', 'bool b = 2;', Buffer.alloc(200_002, 0x08)],
    ['groups', 'bool b = 2;', Buffer.alloc(200_002, bytesOf('1314'))],
    ['fields in one group', 'bool b = 2;', Buffer.concat([bytesOf('13'), Buffer.alloc(200_002, 0x08)])],
    ['a message that is merged', 'I a = 1; message I { bool x = 1; }', bytesOf('0a020801'.repeat(50_001))],
    ['messages', `repeated I a = 1; message I { bool x = 1; }`, bytesOf('0a00'.repeat(50_000))],
    ['messages of many fields', `repeated I a = 1; message I { ${many(400)} }`, bytesOf('0a00'.repeat(300))],
    ['other messages', 'oneof o { I a = 1; I b = 2; } message I { bool x = 1; }', bytesOf('0a001200'.repeat(50_000))],
  ])('is refused when it makes more than 100,000 values of few bytes: %s', (_case, body, bytes) => {
    const message = messageOf(`message T { ${body} }`);
    expect(refusal(() => decodeToJson(message, bytes))).toBe('The payload has more than 100000 values');
  });

  it('is refused when names of its schema would make it long out of all proportion', () => {
    const name = 'A'.repeat(200);
    const enums = messageOf(`enum E { ${name} = 0; } message T { repeated E a = 1; }`);
    expect(refusal(() => decodeToJson(enums, packed(6_000)))).toBe('The payload is too long as JSON');
    const fields = messageOf(`message T { repeated I a = 1; message I { bool ${name} = 1; } }`);
    expect(refusal(() => decodeToJson(fields, bytesOf('0a00'.repeat(6_000))))).toBe('The payload is too long as JSON');
  });
});

describe('Any payload', () => {
  const body = head(`
    enum Mode { OFF = 0; ON = 1; BROKEN = -1; }
    message Inner { optional string text = 1; repeated sint64 deltas = 2; Deeper deeper = 3; }
    message Deeper { bytes raw = 1; fixed64 stamp = 2; sfixed32 offset = 3; }
    message T {
      double d = 1; int32 i = 3; int64 l = 4; uint64 u = 5; bool b = 6; string s = 7; bytes y = 8; Mode mode = 9;
      repeated int32 list = 10; repeated Inner inners = 11; optional uint32 maybe = 12; Inner inner = 13;
      sfixed64 sf = 14; sint32 si = 15; fixed32 fx = 16; repeated string texts = 17; repeated Mode modes = 18;
    }`);
  const ours = readSchema(body, LIMITS, new SchemaFaults('schema')).message;
  const theirs = parse(body, new Root(), { keepCase: true }).root.lookupType('T');
  const shown = { longs: String, enums: String, bytes: String, defaults: true, arrays: true, json: true } as const;

  const text = fc.string({ unit: 'binary', maxLength: 20 });
  const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
  const unsigned = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
  const bytes = fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array));
  const mode = fc.constantFrom(0, 1, -1, 5);
  const deeper = fc.record(
    { raw: bytes, stamp: unsigned, offset: fc.integer() },
    { requiredKeys: ['raw', 'stamp', 'offset'] },
  );
  const inner = fc.record({ text, deltas: fc.array(long, { maxLength: 4 }), deeper }, { requiredKeys: [] });
  const values = fc.record(
    {
      ...{
        d: fc.double({ noDefaultInfinity: true, noNaN: true }),
        i: fc.integer(),
        l: long,
        u: unsigned,
        b: fc.boolean(),
      },
      ...{ s: text, y: bytes, mode, list: fc.array(fc.integer()), inners: fc.array(inner, { maxLength: 3 }), inner },
      ...{ maybe: fc.nat(), sf: long, si: fc.integer(), fx: fc.nat(), texts: fc.array(text), modes: fc.array(mode) },
    },
    { requiredKeys: [] },
  );

  it('that protobufjs writes has the values that protobufjs reads', () => {
    fc.assert(
      fc.property(values, (value) => {
        const written = Buffer.from(theirs.encode(theirs.fromObject(value)).finish());
        const expected = theirs.toObject(theirs.decode(written), shown);
        expect(withoutAbsent(JSON.parse(decodeToJson(ours, written)))).toEqual(withoutAbsent(expected));
      }),
    );
  });

  it('of any bytes is read, or refused as BAD_PAYLOAD', () => {
    const anyBytes = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.tuple(values, fc.nat(), fc.nat({ max: 255 })).map(([value, at, byte]) => {
        const written = Buffer.from(theirs.encode(theirs.fromObject(value)).finish());
        if (written.length > 0) written[at % written.length] = byte;
        return written;
      }),
    );
    fc.assert(
      fc.property(anyBytes, (given) => {
        try {
          JSON.parse(decodeToJson(ours, Buffer.from(given)));
        } catch (error) {
          expect(error).toMatchObject({ code: 'BAD_PAYLOAD' });
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

/** What protobufjs and the JSON form say of what was not sent differs: it is looked at elsewhere. */
function withoutAbsent(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutAbsent);
  if (typeof value !== 'object' || value === null) return value === 0 ? 0 : value;
  const members = Object.entries(value).filter(
    ([, member]) => member !== null && member !== undefined && !(typeof member === 'object' && isEmpty(member)),
  );
  return Object.fromEntries(members.map(([name, member]) => [name, withoutAbsent(member)]));
}

const isEmpty = (value: object): boolean => Object.keys(value).length === 0;

/** A field 1 of so many values, all of them 0. */
function packed(count: number): Buffer {
  const length: number[] = [];
  let rest = count;
  for (; rest > 0x7f; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([0x0a, ...length, rest]), Buffer.alloc(count)]);
}

function many(count: number): string {
  return Array.from({ length: count }, (_, i) => `bool f${i} = ${i + 1};`).join(' ');
}
