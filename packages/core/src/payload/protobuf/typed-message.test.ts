import { TandemError } from '../../errors';
import { decodeRecords } from '../../telemetry/record-lines';
import { valueType } from '../value';
import { readSchema } from './read-schema';
import { SchemaFaults } from './schema-faults';
import { readAttributesMessage, readTelemetryMessage } from './typed-message';

const NOW = 1_700_000_000_000;
const LIMITS = { maxBytes: 65_536, maxTypes: 100, maxFields: 500, maxNesting: 16 };
const CAST = { typeCast: true, maxStringLength: 0 };
const NO_CAST = { typeCast: false, maxStringLength: 0 };
const messageOf = (body: string) =>
  readSchema(`syntax = "proto3";\n${body}`, LIMITS, new SchemaFaults('schema')).message;
const bytesOf = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');

/** `key TYPE text@ts`, the way the contract writes what is stored. */
function stored(body: string, hex: string, settings = CAST): string[] {
  const { lines } = readTelemetryMessage(messageOf(body), bytesOf(hex), NOW, settings);
  const records = lines === '' ? [] : [...decodeRecords(lines)];
  return records.flatMap(({ ts, values }) =>
    values.map(({ key, value }) => `${key} ${valueType(value)} ${value}${ts === NOW ? '' : `@${ts}`}`),
  );
}

const SENSOR = `message SensorDataReading {
  optional double temperature = 1; optional double humidity = 2; InnerObject innerObject = 3;
  message InnerObject { optional string key1 = 1; bool key2 = 2; double key3 = 3; int32 key4 = 4; string key5 = 5; }
}`;
const TIMED = 'message V { double temp = 1; int64 cnt = 2; } message T { optional int64 ts = 1; V values = 2; }';

describe('Telemetry in protobuf (contract 8.14)', () => {
  it.each([
    ['TV-318', SENSOR, '090000000000803640', ['temperature DOUBLE 22.5']],
    ['TV-319', SENSOR, '1a00', ['innerObject JSON {"key2":false,"key3":0.0,"key4":0,"key5":""}']],
    ['TV-320', SENSOR, '', []],
    ['TV-323', TIMED, '08e807 120b 09000000000000f83f 1007', ['temp DOUBLE 1.5@1000', 'cnt LONG 7@1000']],
    [
      'TV-324',
      TIMED,
      '08e807 120a 10ffffffffffffffff7f',
      ['temp DOUBLE 0.0@1000', 'cnt LONG 9223372036854775807@1000'],
    ],
    ['a time without values', TIMED, '08e807', ['ts LONG 1000']],
    ['values without a time', TIMED, '1200', ['values JSON {"temp":0.0,"cnt":"0"}']],
    ['values that are empty', 'message V {} message T { optional int64 ts = 1; V values = 2; }', '080112 00', []],
  ])('%s is stored as the contract says', (_number, schema, hex, expected) => {
    expect(stored(schema, hex)).toEqual(expected);
  });

  it.each([
    ['values that are no message', 'message T { int64 ts = 1; bool values = 2; bool a = 3; }', ''],
    [
      'several messages of values',
      'message V {} message T { int64 ts = 1; repeated V values = 2; bool a = 3; }',
      '1200',
    ],
    ['a time beyond 2^53', TIMED, '08ffffffffffffffff7f 1200'],
    ['a time that is no number', 'message V {} message T { bool ts = 1; V values = 2; bool a = 3; }', '1200'],
  ])('is refused with %s', (_case, schema, hex) => {
    expect(() => stored(schema, hex)).toThrow(TandemError);
    expect(() => stored(schema, hex)).toThrow(expect.objectContaining({ code: 'BAD_PAYLOAD' }));
  });

  it.each([
    ['on', CAST, 'text LONG 42'],
    ['off', NO_CAST, 'text STRING "42"'],
  ])(
    'has texts that look like numbers as the setting says, and integers of 64 bits as LONG: cast %s',
    (_on, settings, text) => {
      const body = 'message T { string text = 1; int64 l = 2; uint64 u = 3; fixed64 f = 4; sint64 s = 5; }';
      expect(stored(body, '0a02 3432 1007 18ffffffffffffffffff01 2801', settings)).toEqual([
        text,
        'l LONG 7',
        'u STRING "18446744073709551615"',
        'f LONG 0',
        's LONG -1',
      ]);
    },
  );

  it('has a number with a fraction as DOUBLE however large, small or long it is', () => {
    const body = 'message T { double a = 1; double b = 2; double c = 3; float d = 4; double e = 5; double f = 6; }';
    const doubles = Buffer.alloc(9 * 3);
    [1e300, 0.1 + 0.2, 1e-300].forEach((value, i) => {
      doubles.writeUInt8(((i + 1) << 3) | 1, i * 9);
      doubles.writeDoubleLE(value, i * 9 + 1);
    });
    const others = '25cdcccc3d 29000000000000f07f 310000000000000080';
    expect(stored(body, doubles.toString('hex') + others)).toEqual([
      'a DOUBLE 1.0E300',
      'b DOUBLE 0.30000000000000004',
      'c DOUBLE 1.0E-300',
      'd DOUBLE 0.1',
      'e STRING "Infinity"',
      'f DOUBLE 0.0',
    ]);
  });

  it('has lists and messages as JSON, enums and bytes as texts', () => {
    const body = `enum Mode { OFF = 0; ON = 1; } message T { repeated int64 list = 1; Mode mode = 2; bytes raw = 3;
      Mode other = 4; bool flag = 5; }`;
    expect(stored(body, '0a020102 1001 1a0261 62 2007')).toEqual([
      'list JSON ["1","2"]',
      'mode STRING "ON"',
      'raw STRING "YWI="',
      'other LONG 7',
      'flag BOOLEAN false',
    ]);
  });

  it('keeps bytes as text though their base64 may be of digits alone', () => {
    expect(stored('message T { bytes a = 1; string b = 2; }', '0a03d76df8 120431323334')).toEqual([
      'a STRING "1234"',
      'b LONG 1234',
    ]);
  });

  it('is refused when a text is longer than the setting allows', () => {
    const limited = { typeCast: true, maxStringLength: 3 };
    expect(stored('message T { string a = 1; }', '0a03616161', limited)).toEqual(['a STRING "aaa"']);
    expect(() => stored('message T { string a = 1; }', '0a0461616161', limited)).toThrow(
      'String value length [4] for key [a] is greater than the maximum allowed [3]',
    );
  });
});

describe('Attributes in protobuf', () => {
  it('have `ts` and `values` as names like others', () => {
    const { entries } = readAttributesMessage(messageOf(TIMED), bytesOf('08e807 1200'), CAST);
    expect(entries).toEqual([
      { key: 'ts', value: '1000' },
      { key: 'values', value: '{"temp":0.0,"cnt":"0"}' },
    ]);
  });
});
