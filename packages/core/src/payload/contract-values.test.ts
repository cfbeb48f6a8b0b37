import { TandemError } from '../errors';
import type { TelemetryRecord } from '../state/telemetry-log';
import { decodeRecords } from '../telemetry/record-lines';
import { parseAttributes, parseTelemetry } from './index';
import type { PayloadSettings } from './typing';
import { renderObject, valueType } from './value';

const NOW = 1_700_000_000_000;
const settings: PayloadSettings = { typeCast: true, maxStringLength: 0 };

function recordsOf(body: string | Buffer, given = settings): TelemetryRecord[] {
  const { lines } = parseTelemetry(Buffer.from(body), NOW, given);
  return lines === '' ? [] : [...decodeRecords(lines)];
}

/** `key TYPE text@ts`, the way the contract writes what is stored. */
function stored(body: string | Buffer, given = settings): string[] {
  return recordsOf(body, given).flatMap(({ ts, values }) =>
    values.map(({ key, value }) => `${key} ${valueType(value)} ${value}${ts === NOW ? '' : `@${ts}`}`),
  );
}

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof TandemError && error.code === 'BAD_PAYLOAD') return error.message;
    throw error;
  }
  throw new Error('was accepted');
}

describe('shapes of a telemetry body (contract 8.2)', () => {
  it.each<[string, string, string[]]>([
    ['TV-031', '{"key1":"value1","key2":"value2"}', ['key1 STRING "value1"', 'key2 STRING "value2"']],
    ['TV-032', '[{"key1":"value1"},{"key2":true}]', ['key1 STRING "value1"', 'key2 BOOLEAN true']],
    [
      'TV-033',
      '{"ts":1451649600512,"values":{"key1":"value1","key2":"value2"}}',
      ['key1 STRING "value1"@1451649600512', 'key2 STRING "value2"@1451649600512'],
    ],
    ['TV-034', '[{"ts":1000,"values":{"a":1}},{"ts":2000,"values":{"a":2}}]', ['a LONG 1@1000', 'a LONG 2@2000']],
    ['TV-035', '[{"a":1},{"ts":2000,"values":{"b":2}}]', ['a LONG 1', 'b LONG 2@2000']],
    ['TV-036', '{"ts":1000,"values":{"a":1},"b":2}', ['a LONG 1@1000']],
    ['TV-037', '{"ts":1000,"a":1}', ['ts LONG 1000', 'a LONG 1']],
    ['TV-038', '{"values":{"a":1}}', ['values JSON {"a":1}']],
    ['TV-039', '{"ts":"1451649600512","values":{"a":1}}', ['a LONG 1@1451649600512']],
    ['TV-040', '{"ts":1451649600512.9,"values":{"a":1}}', ['a LONG 1@1451649600512']],
    ['TV-041', '{"ts":1.451649600512e12,"values":{"a":1}}', ['a LONG 1@1451649600512']],
    ['TV-042', '{"ts":0,"values":{"a":1}}', ['a LONG 1@0']],
    ['TV-043', '{"ts":-1,"values":{"a":1}}', ['a LONG 1@-1']],
    ['TV-050', '{"ts":1000,"values":{}}', []],
    ['TV-051', '{}', []],
    ['TV-052', '[{}]', []],
    ['TV-053', '[]', []],
  ])('%s: %s is stored as the contract says', (_number, body, expected) => {
    expect(stored(body)).toEqual(expected);
  });

  it.each([
    ['TV-044', '{"ts":"abc","values":{"a":1}}'],
    ['TV-045', '{"ts":"1.5","values":{"a":1}}'],
    ['TV-046', '{"ts":null,"values":{"a":1}}'],
    ['TV-047', '{"ts":true,"values":{"a":1}}'],
    ['TV-048', '{"ts":1000,"values":[1]}'],
    ['TV-049', '{"ts":1000,"values":5}'],
    ['TV-054', '[1]'],
    ['TV-055', '[null]'],
    ['TV-056', '[[{"a":1}]]'],
    ['TV-057', '[{"a":1},5]'],
    ['TV-058', '"hello"'],
    ['TV-059', 'hello'],
    ['TV-060', '42'],
    ['TV-061', 'null'],
    ['TV-062', '{"a":'],
    ['TV-063', '{"a":1}x'],
    ['TV-064', '{"a":1,}'],
    ['TV-065', '[{"a":1},]'],
    ['TV-066', '   '],
  ])('%s: %s is refused', (_number, body) => {
    expect(refusal(() => stored(body))).not.toBe('');
  });

  it('TV-032: elements without a timestamp share one server time', () => {
    const records = recordsOf('[{"key1":"value1"},{"key2":true}]');
    expect(records.map(({ ts }) => ts)).toEqual([NOW, NOW]);
  });

  it.each([
    ['TV-054', '[1]', "Can't parse value: 1"],
    ['TV-058', '"hello"', 'Can\'t parse value: "hello"'],
    ['TV-059', 'hello', 'Can\'t parse value: "hello"'],
    ['TV-065', '[{"a":1},]', "Can't parse value: null"],
    ['TV-066', '   ', "Can't parse value: null"],
  ])('%s: %s is refused in the words of the reference', (_number, body, words) => {
    expect(refusal(() => stored(body))).toBe(words);
  });

  it('cuts what it shows of a refused value to 200 characters', () => {
    expect(refusal(() => stored(`["${'x'.repeat(1000)}"]`))).toBe(`Can't parse value: "${'x'.repeat(199)}`);
  });

  it.each([
    ['a fraction of a negative one is cut toward zero', '-1.9', -1],
    ['one within a millisecond of zero has no sign', '-0.5', 0],
    ['an element alone in an array', '[1000]', 1000],
    ['a string with a minus', '"-5"', -5],
    ['the last exact integer', '9007199254740991', Number.MAX_SAFE_INTEGER],
    ['the last exact integer and a fraction', '9007199254740991.9', Number.MAX_SAFE_INTEGER],
    ['a tiny exponent', '1e-999999999', 0],
  ])('takes as a timestamp %s', (_what, ts, expected) => {
    const records = recordsOf(`{"ts":${ts},"values":{"a":1}}`);
    expect(records.map((record) => record.ts)).toEqual([expected]);
  });

  it.each(['""', '{}', '[]', '[1,2]', '"+5"', '"1e3"', '9007199254740992', '-9007199254740992', '1e999999999', '1e16'])(
    'refuses the timestamp %s',
    (ts) => {
      expect(refusal(() => stored(`{"ts":${ts},"values":{"a":1}}`))).toContain('`ts`');
    },
  );
});

describe('shapes of an attributes body (contract 8.2)', () => {
  const attributes = (body: string) => renderObject(parseAttributes(Buffer.from(body), settings).entries);

  it('TV-067: an array is refused', () => {
    expect(refusal(() => attributes('[{"a":1}]'))).toBe('Can\'t parse value: [{"a":1}]');
  });

  it.each([
    ['TV-068', '{}', '{}'],
    ['TV-069', '{"ts":5,"values":{"a":1}}', '{"ts":5,"values":{"a":1}}'],
    [
      'TV-070',
      '{"attribute1":"value1","attribute2":true,"attribute3":42.0,"attribute4":73,"attribute5":{"someNumber":42,"someArray":[1,2,3],"someNestedObject":{"key":"value"}}}',
      '{"attribute1":"value1","attribute2":true,"attribute3":42.0,"attribute4":73,"attribute5":{"someNumber":42,"someArray":[1,2,3],"someNestedObject":{"key":"value"}}}',
    ],
  ])('%s: every member of %s is an attribute', (_number, body, expected) => {
    expect(attributes(body)).toBe(expected);
  });
});

describe('lenient reading (contract 8.3)', () => {
  it.each<[string, string, string[]]>([
    ['TV-071', '{temperature:42,humidity:73}', ['temperature LONG 42', 'humidity LONG 73']],
    [
      'TV-072',
      '{attribute1: value1, attribute2:true, attribute3: 43.0}',
      ['attribute1 STRING "value1"', 'attribute2 BOOLEAN true', 'attribute3 DOUBLE 43.0'],
    ],
    ['TV-073', "{'a':'b'}", ['a STRING "b"']],
    ['TV-074', '{"a":1;"b":2}', ['a LONG 1', 'b LONG 2']],
    ['TV-075', '{"a"=1}', ['a LONG 1']],
    ['TV-076', '{"a"=>1}', ['a LONG 1']],
    ['TV-077', '/*c*/{"a":1}', ['a LONG 1']],
    ['TV-078', '{"a":1 // c\n}', ['a LONG 1']],
    ['TV-079', '{"a":TRUE}', ['a BOOLEAN true']],
    ['TV-080', '{"a":NULL}', []],
    ['TV-081', '{"a":1,"a":2}', ['a LONG 2']],
    ['TV-082', '{"a":NaN}', ['a STRING "NaN"']],
    ['TV-083', '{"a":+5}', ['a STRING "+5"']],
    ['TV-084', '{"a":0123}', ['a LONG 123']],
    ['TV-085', '{"a":0x1F}', ['a STRING "0x1F"']],
    ['TV-087', '\ufeff{"a":1}', ['a LONG 1']],
  ])('%s: %s is understood', (_number, body, expected) => {
    expect(stored(body)).toEqual(expected);
  });

  it('TV-086: a value of two words without quotes is refused', () => {
    expect(refusal(() => stored('{"a":hello world}'))).toMatch(/^Not JSON: .* at character 11$/);
  });
});

describe('typing of values (contract 8.4)', () => {
  const zeros = (count: number) => '0'.repeat(count);

  it.each([
    ['TV-088', '42', 'LONG 42'],
    ['TV-089', '42.0', 'DOUBLE 42.0'],
    ['TV-090', '42.50', 'DOUBLE 42.5'],
    ['TV-091', '-0', 'LONG 0'],
    ['TV-092', '-0.0', 'DOUBLE 0.0'],
    ['TV-093', '0.0', 'DOUBLE 0.0'],
    ['TV-094', '1e5', 'LONG 100000'],
    ['TV-095', '1E+1', 'LONG 10'],
    ['TV-096', '101E-1', 'DOUBLE 10.1'],
    ['TV-097', '1.5e1', 'LONG 15'],
    ['TV-098', '1.0e2', 'LONG 100'],
    ['TV-099', '1.5e0', 'DOUBLE 1.5'],
    ['TV-100', '7e-06', 'DOUBLE 7.0E-6'],
    ['TV-101', '1e-16', 'DOUBLE 1.0E-16'],
    ['TV-102', '1e-17', 'STRING "0.00000000000000001"'],
    ['TV-103', '0.1234567890123456', 'DOUBLE 0.1234567890123456'],
    ['TV-104', '0.12345678901234567', 'STRING "0.12345678901234567"'],
    ['TV-105', '1.00000000000000000', 'STRING "1.00000000000000000"'],
    ['TV-106', '9007199254740993', 'LONG 9007199254740993'],
    ['TV-107', '9223372036854775807', 'LONG 9223372036854775807'],
    ['TV-108', '-9223372036854775808', 'LONG -9223372036854775808'],
    ['TV-109', '9223372036854775808', 'STRING "9223372036854775808"'],
    ['TV-110', '-9223372036854775809', 'STRING "-9223372036854775809"'],
    ['TV-111', '1e19', 'STRING "10000000000000000000"'],
    ['TV-112', '9.9701010061400066E19', 'STRING "99701010061400066000"'],
    ['TV-113', '99701010061400066001', 'STRING "99701010061400066001"'],
    ['TV-114', '1e400', `STRING "1${zeros(400)}"`],
    ['TV-115', '"42"', 'LONG 42'],
    ['TV-116', '"42.0"', 'DOUBLE 42.0'],
    ['TV-117', '"1.10"', 'DOUBLE 1.1'],
    ['TV-118', '"007"', 'LONG 7'],
    ['TV-119', '"-5"', 'LONG -5'],
    ['TV-120', '".5"', 'DOUBLE 0.5'],
    ['TV-121', '"-.5"', 'DOUBLE -0.5'],
    ['TV-122', '"+5"', 'STRING "+5"'],
    ['TV-123', '"5."', 'STRING "5."'],
    ['TV-124', '"1e5"', 'STRING "1e5"'],
    ['TV-125', '" 42"', 'STRING " 42"'],
    ['TV-126', '"1,5"', 'STRING "1,5"'],
    ['TV-127', '"0x10"', 'STRING "0x10"'],
    ['TV-128', '"1.2.3"', 'STRING "1.2.3"'],
    ['TV-129', '""', 'STRING ""'],
    ['TV-130', '"-"', 'STRING "-"'],
    ['TV-131', '"true"', 'STRING "true"'],
    ['TV-132', '"null"', 'STRING "null"'],
    ['TV-133', '"{}"', 'STRING "{}"'],
    ['TV-134', '"9223372036854775808"', 'STRING "9223372036854775808"'],
    ['TV-135', '"٤٢"', 'LONG 42'],
    ['TV-136', 'true', 'BOOLEAN true'],
    ['TV-138', '{}', 'JSON {}'],
    ['TV-139', '[]', 'JSON []'],
    ['TV-140', '[1,2,3]', 'JSON [1,2,3]'],
    ['TV-141', '{"b":[1,2.0,"7",null,true]}', 'JSON {"b":[1,2.0,"7",null,true]}'],
    ['TV-142', '"<b>&"', 'STRING "<b>&"'],
  ])('%s: %s becomes %s', (_number, text, expected) => {
    const { entries } = parseAttributes(Buffer.from(`{"a":${text}}`), settings);
    expect(stored(`{"a":${text}}`)).toEqual([`a ${expected}`]);
    expect(entries.map(({ value }) => `${valueType(value)} ${value}`)).toEqual([expected]);
  });

  it('TV-137: null is no value', () => {
    expect(stored('{"a":null}')).toEqual([]);
  });

  it('TV-143: 42 and 42.0 are rendered as they were sent', () => {
    const rendered = (body: string) => renderObject(parseAttributes(Buffer.from(body), settings).entries);
    expect([rendered('{"a":42}'), rendered('{"a":42.0}')]).toEqual(['{"a":42}', '{"a":42.0}']);
  });

  const castOff = { ...settings, typeCast: false };

  it('TV-144: with the type cast off a string of digits stays a string', () => {
    expect(stored('{"a":"42"}', castOff)).toEqual(['a STRING "42"']);
  });

  it('TV-145: with the type cast off an integer beyond 64 bits is refused, naming the key', () => {
    expect(refusal(() => stored('{"a":9223372036854775808}', castOff))).toContain('[a]');
  });

  it('TV-146: a string beyond the configured length is refused, naming length, key and maximum', () => {
    const limited = { ...settings, maxStringLength: 10 };
    expect(stored('{"a":"1234567890"}', limited)).toEqual(['a LONG 1234567890']);
    expect(refusal(() => stored('{"a":"hello world"}', limited))).toBe(
      'String value length [11] for key [a] is greater than the maximum allowed [10]',
    );
  });

  it('TV-147: a key of 256 characters and a blank one are left out and counted, the other keys stay', () => {
    const body = `{"${'k'.repeat(256)}":1,"":2," \\t":3,"${'m'.repeat(255)}":4,"a":5}`;
    const telemetry = parseTelemetry(Buffer.from(body), NOW, settings);
    const attributes = parseAttributes(Buffer.from(body), settings);
    expect(telemetry.droppedKeys).toBe(3);
    expect(attributes.droppedKeys).toBe(3);
    expect(stored(body)).toEqual([`${'m'.repeat(255)} LONG 4`, 'a LONG 5']);
    expect(attributes.entries.map(({ key }) => key)).toEqual(['m'.repeat(255), 'a']);
  });
});

describe('numbers at the edges of the rules', () => {
  const digits = (count: number) => '7'.repeat(count);

  it.each([
    ['with the type cast off, more than 16 decimals', '1e-17', { typeCast: false }, 'STRING "0.00000000000000001"'],
    ['hundreds of digits and a fraction', `${digits(320)}.5`, {}, `STRING "${digits(320)}.5"`],
    ['the largest double', '1.7976931348623157E308', {}, `STRING "17976931348623157${'0'.repeat(292)}"`],
    ['an integral double beyond the doubles', `${digits(310)}.0`, {}, `STRING "${digits(310)}.0"`],
    ['a zero with a huge exponent', '0e999999999', {}, 'LONG 0'],
    ['a negative zero with many decimals', '-0.00000000000000000', {}, 'STRING "0.00000000000000000"'],
    ['a mantissa of zeros that the exponent takes back', `1${'0'.repeat(2000)}e-2000`, {}, 'LONG 1'],
    ['401 digits', digits(401), {}, `STRING "${digits(401)}"`],
    ['a double from 1e7 on', '12345678.0', {}, 'DOUBLE 1.2345678E7'],
    ['a double below 1e-3', '0.00012', {}, 'DOUBLE 1.2E-4'],
    ['a string of more digits than a number may have', `"${digits(402)}"`, {}, `STRING "${digits(402)}"`],
    ['digits of another script beyond the basic plane', '"𝟙𝟚.𝟛"', {}, 'DOUBLE 12.3'],
    ['digits of mixed scripts', '"-١2३"', {}, 'LONG -123'],
  ])('%s', (_what, text, change, expected) => {
    expect(stored(`{"a":${text}}`, { ...settings, ...change })).toEqual([`a ${expected}`]);
  });

  it.each([
    ['1e401'],
    ['1e999999'],
    ['1e-401'],
    ['-1e99999999999999999999'],
    ['7'.repeat(402)],
    [`0.${'0'.repeat(401)}`],
  ])('refuses %s, whose plain form has more than 401 digits', (text) => {
    expect(refusal(() => stored(`{"a":${text}}`))).toContain('more than 401 digits');
  });

  it('keeps the text of numbers within JSON values, however large', () => {
    expect(stored('{"a":[1e999999,99701010061400066001,2.0,1.10,-0,0.10e+05]}')).toEqual([
      'a JSON [1e999999,99701010061400066001,2.0,1.10,-0,0.10e+05]',
    ]);
  });

  it('makes valid JSON of the lenient numbers within JSON values', () => {
    expect(stored('{"a":[.5,-.5,0123,-007,00.50,-00]}')).toEqual(['a JSON [0.5,-0.5,123,-7,0.50,-0]']);
  });
});
