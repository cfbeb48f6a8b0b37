import fc from 'fast-check';
import { TandemError } from '../errors';
import { countCanonicalMembers } from './flat-object';
import { withoutSpaces } from './spaced-object';
import { type ParsedTelemetry, parseTelemetry, readTelemetry } from './telemetry-payload';
import type { PayloadSettings } from './typing';

const NOW = 1_700_000_000_000;
const CAST: PayloadSettings = { typeCast: true, maxStringLength: 0 };
const NO_CAST: PayloadSettings = { typeCast: false, maxStringLength: 0 };
const SHORT: PayloadSettings = { typeCast: false, maxStringLength: 3 };

const members = (count: number): string => `{${Array.from({ length: count }, (_, n) => `"k${n}":${n}`).join()}}`;

describe('telemetry that is kept as it was sent', () => {
  it.each([
    ['{"temperature":21.5,"humidity":48,"state":"running"}', 3],
    ['{"a":0,"b":-1,"c":999999999999999999,"d":-999999999999999999}', 4],
    ['{"a":0.5,"b":-0.125,"c":42.0,"d":1234567.5,"e":1.23456789012345}', 5],
    ['{"a":true,"b":false}', 2],
    ['{"a":"","b":"x y","c":"{[:,]}","d":"true"}', 4],
    ['{"values":1,"Ts":2,"t":3,"tss":4,"st":5}', 5],
    [`{"${'k'.repeat(255)}":1}`, 1],
    [members(16), 16],
  ])('%s', (text, count) => {
    expect(countCanonicalMembers(text, CAST)).toBe(count);
    expect(parseTelemetry(Buffer.from(text), NOW, CAST)).toEqual({
      lines: `${NOW} ${text}`,
      points: count,
      droppedKeys: 0,
    });
  });
});

describe('telemetry that is kept without its spaces', () => {
  it.each([
    [
      '{"temperature": 21.5, "humidity": 48, "state": "on, or off: ?"}',
      '{"temperature":21.5,"humidity":48,"state":"on, or off: ?"}',
    ],
    ['{"a":  1,   "b": true}', '{"a":1,"b":true}'],
    ['{"a b": "c  d"}', '{"a b":"c  d"}'],
  ])('%s', (text, compact) => {
    expect(withoutSpaces(text)).toBe(compact);
    const { lines } = parseTelemetry(Buffer.from(text), NOW, CAST);
    expect(lines).toBe(`${NOW} ${compact}`);
    expect(lines).toEqual(readTelemetry(text, NOW, CAST).lines);
  });

  it.each([
    '{"a": 1 2}',
    '{"a": 1 }',
    '{"a": 1, "b": 1, }',
    '{"a": 1,, "b": 2}',
    '{"a": - 1}',
    '{"a": "\\u0041"}',
    '{"a": tr ue}',
  ])('or read as it is: %s', (text) => {
    expect(countCanonicalMembers(withoutSpaces(text) ?? '', CAST)).toBe(0);
    expect(outcome(() => parseTelemetry(Buffer.from(text), NOW, CAST))).toEqual(
      outcome(() => readTelemetry(text, NOW, CAST)),
    );
  });
});

describe('telemetry that is read member by member', () => {
  it.each([
    ['white space', '{"a": 1}'],
    ['a name that is there twice', '{"a":1,"b":2,"a":3}'],
    ['a timestamp', '{"ts":1,"values":{"a":1}}'],
    ['a key that looks like a timestamp', '{"a":1,"ts":1}'],
    ['a blank key', '{"a":1," ":2}'],
    ['an empty key', '{"":1,"b":2}'],
    ['a key that is too long', `{"${'k'.repeat(256)}":1,"b":2}`],
    ['null', '{"a":null,"b":2}'],
    ['an object', '{"a":{"b":1}}'],
    ['a list', '{"a":[1]}'],
    ['a number in a string', '{"a":"42"}'],
    ['half a number in a string', '{"a":".5"}'],
    ['digits of another script in a string', '{"a":"٤"}'],
    ['minus zero', '{"a":-0}'],
    ['minus zero with a point', '{"a":-0.0}'],
    ['zeros at the end', '{"a":1.50}'],
    ['zeros at the beginning', '{"a":007,"b":00.5}'],
    ['a small double', '{"a":0.01}'],
    ['a large double', '{"a":12345678.5}'],
    ['an exponent', '{"a":1e5,"b":1.5e-3}'],
    ['an integer of 19 digits', '{"a":1234567890123456789}'],
    ['an escape in a string', '{"a":"\\u0041\\n"}'],
    ['an escape in a name', '{"\\u0041":1,"A":2}'],
    ['a name without quotes', '{a:1}'],
    ['another letter case', '{"a":True}'],
    ['a word without quotes', '{"a":truest,"b":falsehood}'],
    ['a list of objects', '[{"a":1},{"b":2}]'],
    ['many members', members(17)],
    ['nothing', '{}'],
  ])('with %s', (_what, text) => {
    expect(countCanonicalMembers(text, CAST)).toBe(0);
    expect(parseTelemetry(Buffer.from(text), NOW, CAST)).toEqual(readTelemetry(text, NOW, CAST));
  });

  it('with a string that is too long, and is refused', () => {
    expect(countCanonicalMembers('{"a":"123"}', SHORT)).toBe(1);
    expect(() => parseTelemetry(Buffer.from('{"a":"1234"}'), NOW, SHORT)).toThrow(TandemError);
  });
});

describe('what is no JSON', () => {
  it.each([
    '',
    '{',
    '{"',
    '{"a',
    '{"a"',
    '{"a":',
    '{"a":1',
    '{"a":1,',
    '{"a":1,}',
    '{"a":-}',
    '{"a":1.}',
    '{"a":"b',
    '{"a":1}}',
  ])('%j is not taken for it', (text) => {
    expect(countCanonicalMembers(text, CAST)).toBe(0);
  });
});

describe('a body becomes the same whether it is recognised or read', () => {
  const pieces = fc.constantFrom(
    ...[
      '{"',
      '{',
      '"',
      '":',
      '",',
      ',"',
      '}',
      ',',
      ':',
      'ts',
      'values',
      'a',
      'b',
      'true',
      'false',
      'null',
      ' ',
      ': ',
      ', ',
      '\\',
      '\n',
    ],
    ...[
      '0',
      '-',
      '.',
      '1',
      '9',
      '00',
      '-0',
      '.0',
      '1.5',
      '42.0',
      '1e3',
      '9007199254740993',
      'é',
      '\ud83d',
      '٤',
      '{}',
      '[1]',
    ],
  );
  const name = fc.oneof(fc.constantFrom('a', 'b', 'ts', 'values', 'temperature', ' ', ''), fc.string({ maxLength: 6 }));
  const value = fc.oneof(
    fc.integer().map(String),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc.tuple(fc.constantFrom('', '-'), fc.stringMatching(/^\d{1,20}(\.\d{1,18})?$/)).map((parts) => parts.join('')),
    fc.string({ maxLength: 8 }).map((text) => JSON.stringify(text)),
    fc.constantFrom('true', 'false', 'null', '"12"', '"-1.5"', '"."', '{"a":1}', '[]'),
  );
  const object = fc
    .array(fc.tuple(name, value), { minLength: 1, maxLength: 18 })
    .map((given) => `{${given.map(([key, text]) => `${JSON.stringify(key)}:${text}`).join()}}`);
  const spacedObject = fc
    .tuple(fc.array(fc.tuple(name, value), { minLength: 1, maxLength: 18 }), fc.constantFrom(' ', '  '))
    .map(
      ([given, space]) => `{${given.map(([key, text]) => `${JSON.stringify(key)}:${space}${text}`).join(`,${space}`)}}`,
    );
  const text = fc.oneof(
    object,
    spacedObject,
    fc.array(pieces, { maxLength: 16 }).map((parts) => parts.join('')),
  );

  it.each([
    ['with type cast', CAST],
    ['without', NO_CAST],
    ['with a limit for strings', SHORT],
  ])('%s', (_how, settings) => {
    fc.assert(
      fc.property(text, (given) => {
        const body = Buffer.from(given);
        expect(outcome(() => parseTelemetry(body, NOW, settings))).toEqual(
          outcome(() => readTelemetry(body.toString(), NOW, settings)),
        );
      }),
      { numRuns: 4_000 },
    );
  });
});

function outcome(run: () => ParsedTelemetry): ParsedTelemetry | string {
  try {
    return run();
  } catch (error) {
    if (error instanceof TandemError && error.code === 'BAD_PAYLOAD') return error.message;
    throw error;
  }
}
