import fc from 'fast-check';
import { parse, Root } from 'protobufjs';
import { TandemError } from '../../errors';
import { readJson } from '../json-reader';
import { encodeFromJson } from './encode-message';
import { decodeToJson } from './message-json';
import { DEFAULT_RPC_REQUEST_SCHEMA } from './payload-schemas';
import { readSchema } from './read-schema';
import { SchemaFaults } from './schema-faults';

const LIMITS = { maxBytes: 65_536, maxTypes: 100, maxFields: 500, maxNesting: 16 };
const messageOf = (source: string) => readSchema(source, LIMITS, new SchemaFaults('schema')).message;
const proto3 = (body: string) => messageOf(`syntax = "proto3";\n${body}`);
const hex = (body: string, json: string): string => encodeFromJson(proto3(body), readJson(json)).toString('hex');

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof TandemError && error.code === 'UNDELIVERABLE') return error.message;
    throw error;
  }
  throw new Error('was accepted');
}

describe('A command in protobuf', () => {
  const DEFAULT = messageOf(DEFAULT_RPC_REQUEST_SCHEMA);
  const command = (params: string) =>
    encodeFromJson(DEFAULT, readJson(`{"method":"setGpio","requestId":1,"params":${params}}`), ['params']).toString(
      'hex',
    );

  it.each([
    ['TV-334', '"on"', '0a077365744770696f10011a026f6e'],
    ['TV-335', '{"pin":"23","value":1}', '0a077365744770696f10011a167b2270696e223a223233222c2276616c7565223a317d'],
    ['a list', '[1, 2.0]', '0a077365744770696f10011a075b312c322e305d'],
    ['a number', '42.0', '0a077365744770696f10011a0434322e30'],
    [
      'a large number',
      '9223372036854775807',
      `0a077365744770696f10011a13${Buffer.from('9223372036854775807').toString('hex')}`,
    ],
    ['a truth', 'true', '0a077365744770696f10011a0474727565'],
    ['nothing', 'null', '0a077365744770696f1001'],
    ['an empty text', '""', '0a077365744770696f10011a00'],
  ])('has params that are text, and objects as theirs: %s', (_case, params, expected) => {
    expect(command(params)).toBe(expected);
  });

  it('has the members of an object in fields of either name, and leaves out what has none', () => {
    const body = 'message P { int32 pin_number = 1; bool on = 2; } message R { string method = 1; P params = 3; }';
    const written = '0a0173 1a04 0817 1001'.replaceAll(' ', '');
    expect(hex(body, '{"method":"s","params":{"pin_number":23,"on":true,"other":{}},"requestId":7}')).toBe(written);
    expect(hex(body, '{"params":{"on":true,"pinNumber":"23","toString":1},"method":"s"}')).toBe(written);
  });

  it.each([
    ['double', '42', '09 0000000000004540'],
    ['double', '"NaN"', '09 000000000000f87f'],
    ['double', '"-Infinity"', '09 000000000000f0ff'],
    ['double', '"1.5"', '09 000000000000f83f'],
    ['float', '0.1', '0d cdcccc3d'],
    ['int32', '-1', '08 ffffffffffffffffff01'],
    ['int32', '1.0', '08 01'],
    ['int32', '1.5e1', '08 0f'],
    ['int64', '"-9223372036854775808"', '08 80808080808080808001'],
    ['uint64', '18446744073709551615', '08 ffffffffffffffffff01'],
    ['uint32', '4294967295', '08 ffffffff0f'],
    ['sint32', '-2147483648', '08 ffffffff0f'],
    ['sint64', '-1', '08 01'],
    ['fixed32', '4294967295', '0d ffffffff'],
    ['sfixed64', '-2', '09 feffffffffffffff'],
    ['bool', 'true', '08 01'],
    ['bool', '"true"', '08 01'],
    ['bytes', '"+/8B"', '0a 03 fbff01'],
    ['bytes', '"-_8B"', '0a 03 fbff01'],
    ['E', '"ON"', '08 01'],
    ['E', '7', '08 07'],
    ['repeated int32', '[1,2,300]', '0a 04 0102ac02'],
    ['repeated string', '["a",""]', '0a 01 61 0a 00'],
    ['repeated string', '[]', ''],
    ['repeated E', '["ON",0]', '0a 02 0100'],
    ['repeated I', '[{},{"b":true}]', '0a 00 0a 02 0801'],
    ['int32', '0', ''],
    ['double', '0.0', ''],
    ['double', '-0.0', '09 0000000000000080'],
    ['bool', 'false', ''],
    ['string', '""', ''],
    ['optional int32', '0', '08 00'],
    ['optional string', 'null', ''],
  ])('holds %s of %s', (type, json, expected) => {
    const body = `enum E { OFF = 0; ON = 1; } message I { bool b = 1; } message T { ${type} a = 1; }`;
    expect(hex(body, `{"a":${json}}`)).toBe(expected.replaceAll(' ', ''));
  });

  it.each([
    ['int32', '2147483648', "'a' cannot be of type int32"],
    ['int32', '1.5', "'a' cannot be of type int32"],
    ['int32', '"x"', "'a' cannot be of type int32"],
    ['int32', 'true', "'a' cannot be of type int32"],
    ['int64', '9223372036854775808', "'a' cannot be of type int64"],
    ['int64', '1e400', "'a' cannot be of type int64"],
    ['int64', '1e99999999999', "'a' cannot be of type int64"],
    ['uint64', '-1', "'a' cannot be of type uint64"],
    ['float', '1e39', "'a' cannot be of type float"],
    ['double', '1e400', "'a' cannot be of type double"],
    ['double', '"1,5"', "'a' cannot be of type double"],
    ['bool', '1', "'a' cannot be of type bool"],
    ['string', '{}', "'a' cannot be of type string"],
    ['repeated string', '[null]', "'a' cannot be of type string"],
    ['bytes', '"?"', "'a' cannot be bytes in base64"],
    ['bytes', '1', "'a' cannot be bytes in base64"],
    ['E', '"BROKEN"', "'a' cannot be one of 'E'"],
    ['repeated int32', '1', "'a' cannot be a list"],
    ['I', '"text"', "'a' cannot be the message 'I'"],
    ['I', '{"b":{}}', "'a.b' cannot be of type bool"],
  ])('cannot be had where %s should hold %s', (type, json, expected) => {
    const body = `enum E { OFF = 0; ON = 1; } message I { bool b = 1; } message T { ${type} a = 1; }`;
    expect(refusal(() => hex(body, `{"a":${json}}`))).toBe(
      `The command could not be converted to protobuf: ${expected}`,
    );
  });

  it('cannot be had with two members of a oneof', () => {
    const body = 'message T { oneof either { bool a = 1; bool b = 2; } }';
    expect(hex(body, '{"b":false}')).toBe('1000');
    expect(refusal(() => hex(body, '{"b":false,"a":true}'))).toContain("'b' and 'a' exclude each other");
  });

  it('of any JSON that its schema can hold is read by protobufjs as the same', () => {
    const source = `syntax = "proto3";
      message I { optional string text = 1; repeated sint64 deltas = 2; bytes raw = 3; }
      message T { double d = 1; int64 l = 2; repeated I list = 3; sfixed32 s = 4; uint32 u = 200; repeated float fs = 6; }`;
    const ours = messageOf(source);
    const theirs = parse(source, new Root(), { keepCase: true }).root.lookupType('T');
    const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
    const raw = fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes).toString('base64'));
    const inner = fc.record({ text: fc.string(), deltas: fc.array(long), raw });
    const values = fc.record({
      ...{ d: fc.double({ noNaN: true, noDefaultInfinity: true }).map((d) => d + 0), l: long, list: fc.array(inner) },
      ...{
        s: fc.integer(),
        u: fc.nat(),
        fs: fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }).map((f) => f + 0)),
      },
    });
    fc.assert(
      fc.property(values, (value) => {
        const written = encodeFromJson(ours, readJson(JSON.stringify(value)));
        const read = theirs.toObject(theirs.decode(written), { longs: String, bytes: String, defaults: true });
        expect(JSON.parse(JSON.stringify(read))).toEqual(JSON.parse(JSON.stringify(value)));
        const own = JSON.parse(decodeToJson(ours, written)) as { fs: number[] };
        expect({ ...own, fs: own.fs.map(Math.fround) }).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
