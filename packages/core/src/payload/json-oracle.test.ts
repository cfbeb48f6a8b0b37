import fc from 'fast-check';
import { TandemError } from '../errors';
import { parseCanonicalObject } from './canonical-object';
import { compactJson } from './compact-json';
import { parseAttributes, parseTelemetry } from './index';
import { keyFault } from './storable-key';
import { typeNumber } from './typing';
import { doubleValue, type KeyValue, renderObject, stringValue, trustedValue } from './value';

const settings = { typeCast: true, maxStringLength: 0 };
const RUNS = { numRuns: 2000 };

/** Text that is near to JSON: right and wrong, strict and lenient. */
const nearJson = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...'{}[]:,;=#/\\"\' \n\t',
        '=>',
        '//',
        '/*',
        '*/',
        ")]}'\n",
        '\ufeff',
        '\u00a0',
        '\\u00e9',
        '\\n',
      ),
      fc.constantFrom('true', 'NULL', 'False', 'a', '"b"', "'c'", '"__proto__"', '7', '.5', '-0', '01', '1e5', '2.50'),
      fc.constantFrom('{"a":', '{a=', '[1,', '"a":1,', ']}', '}}', '{"ts":1,"values":{', '٤', '1'.repeat(20)),
      fc.string({ maxLength: 4, unit: 'binary' }),
    ),
    { maxLength: 14 },
  )
  .map((pieces) => pieces.join(''));

const digits = (minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...'0012345678999'), minLength, maxLength });

const number = fc
  .record({
    sign: fc.constantFrom('', '-'),
    whole: fc.oneof(
      fc.constant('0'),
      digits(1, 21).map((text) => text.replace(/^0+/, '') || '0'),
    ),
    fraction: fc.option(digits(1, 19), { nil: undefined }),
    exponent: fc.option(fc.tuple(fc.constantFrom('e', 'E', 'e+', 'e-', 'E-'), fc.nat(24)), { nil: undefined }),
  })
  .map(({ sign, whole, fraction, exponent }) => {
    return `${sign}${whole}${fraction === undefined ? '' : `.${fraction}`}${exponent === undefined ? '' : exponent.join('')}`;
  });

/** Rules N1 to N4 of contract 3.4, with fractions of big integers and no shortcut. */
function typedByTheRules(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const scale = fraction.length - Number(exponent);
  const scaled = BigInt(whole + fraction) * 10n ** BigInt(Math.max(-scale, 0));
  const unit = 10n ** BigInt(Math.max(scale, 0));
  const plainDot = text.includes('.') && !/e/i.test(text);
  if (scaled % unit === 0n && !plainDot) {
    const integer = sign === '-' ? -(scaled / unit) : scaled / unit;
    return BigInt.asIntN(64, integer) === integer ? String(integer) : stringValue(String(integer));
  }
  if (scale <= 16) return doubleValue(Number(text));
  const minus = scaled !== 0n ? sign : '';
  return stringValue(`${minus}${scaled / unit}.${String(scaled % unit).padStart(scale, '0')}`);
}

function outcome<T>(run: () => T): T | 'refused' {
  try {
    return run();
  } catch (error) {
    if (error instanceof TandemError && error.code === 'BAD_PAYLOAD') return 'refused';
    throw error;
  }
}

describe('the reader against the JSON of the language', () => {
  it('gives back whatever JSON.stringify writes, character by character', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom('', ' ', '\t'), (value, indent) => {
        expect(compactJson(JSON.stringify(value, null, indent))).toBe(JSON.stringify(value));
      }),
      RUNS,
    );
  });

  it('understands every text that strict JSON allows, as strict JSON does', () => {
    fc.assert(
      fc.property(nearJson, (text) => {
        let strict: unknown;
        try {
          strict = JSON.parse(text);
        } catch {
          return;
        }
        expect(JSON.stringify(JSON.parse(compactJson(text)))).toBe(JSON.stringify(strict));
      }),
      { numRuns: 8_000 },
    );
  });

  it('either refuses a text or makes strict, compact JSON of it', () => {
    fc.assert(
      fc.property(nearJson, (text) => {
        const compact = outcome(() => compactJson(text));
        if (compact !== 'refused') {
          JSON.parse(compact);
          expect(compactJson(compact)).toBe(compact);
        }
      }),
      { numRuns: 8_000 },
    );
  });

  it('types the members of an object as strict JSON and the rules would', () => {
    const scalar = fc.oneof(
      number,
      fc.constantFrom('true', 'false'),
      fc.string().map((text) => JSON.stringify(`${text}~`)),
    );
    const members = fc.array(fc.tuple(fc.string({ minLength: 1 }), scalar), { maxLength: 20 });
    fc.assert(
      fc.property(members, (given) => {
        const body = Buffer.from(`{${given.map(([key, text]) => `${JSON.stringify(key)}:${text}`).join()}}`);
        const last = new Map(given.filter(([key]) => keyFault(key) === undefined));
        const expected = [...last].map(([key, text]) => ({
          key,
          value: trustedValue(/^["tf]/.test(text) ? text : typedByTheRules(text)),
        }));
        expect(parseAttributes(body, settings).entries).toEqual(expected);
        if (last.has('ts') && last.has('values')) return;
        const { lines, points } = parseTelemetry(body, 5, settings);
        expect(lines).toBe(expected.length === 0 ? '' : `5 ${renderObject(expected)}`);
        expect(points).toBe(expected.length);
      }),
      RUNS,
    );
  });

  it('types a number by its rules, whichever shortcut it takes', () => {
    fc.assert(
      fc.property(number, (text) => {
        expect(typeNumber(text, true)).toBe(typedByTheRules(text));
      }),
      { numRuns: 8_000 },
    );
  });

  it('never fails on a body but with a bad payload', () => {
    const bytes = fc.oneof(
      nearJson.map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 40 }).map(Buffer.from),
    );
    fc.assert(
      fc.property(bytes, (body) => {
        outcome(() => parseTelemetry(body, 0, settings));
        outcome(() => parseAttributes(body, settings));
      }),
      { numRuns: 4_000 },
    );
  });
});

describe('taking a rendered object apart', () => {
  const entries = fc
    .array(fc.tuple(fc.string({ minLength: 1, unit: 'binary' }), fc.jsonValue()), { maxLength: 12 })
    .map((members): KeyValue[] => {
      const body = members.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join();
      return parseAttributes(Buffer.from(`{${body}}`), settings).entries;
    });

  it('gives back the entries it was made of', () => {
    fc.assert(
      fc.property(entries, (given) => {
        expect(parseCanonicalObject(renderObject(given))).toEqual(given);
      }),
      RUNS,
    );
  });

  it('keeps the text of every kind of value', () => {
    const text = '{"a":42,"b\\"\\\\":42.0,"__proto__":"x,}\\\\","d":{"e":["}",{}]},"f":[],"g":true,"h":1.0E-7}';
    expect(parseCanonicalObject(text)).toEqual([
      { key: 'a', value: '42' },
      { key: 'b"\\', value: '42.0' },
      { key: '__proto__', value: '"x,}\\\\"' },
      { key: 'd', value: '{"e":["}",{}]}' },
      { key: 'f', value: '[]' },
      { key: 'g', value: 'true' },
      { key: 'h', value: '1.0E-7' },
    ]);
    expect(parseCanonicalObject('{}')).toEqual([]);
  });

  it('says so when the text was cut short', () => {
    const text = '{"a":{"b":"c\\\\"},"d":[1,2]}';
    for (let length = 0; length < text.length; length++) {
      expect(() => parseCanonicalObject(text.slice(0, length))).toThrow('A stored object is damaged');
    }
  });

  it('ends on any text, with entries or a fault of its own', () => {
    fc.assert(
      fc.property(nearJson, (text) => {
        try {
          parseCanonicalObject(text);
        } catch (error) {
          if (!(error instanceof TandemError && error.code === 'INTERNAL')) throw error;
        }
      }),
      { numRuns: 4_000 },
    );
  });
});
