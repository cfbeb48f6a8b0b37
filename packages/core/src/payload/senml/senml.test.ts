import fc from 'fast-check';
import { readCbor } from '../cbor/read-cbor';
import { writeCbor } from '../cbor/write-cbor';
import { readJson, readOwnJson } from '../json-reader';
import { trustedValue } from '../value';
import { cborKeyOf, labelOf } from './labels';
import { attributesOfPack, telemetryOfPack } from './read-pack';
import { SENML_CBOR, SENML_JSON } from './senml-format';
import { packOf } from './write-pack';

const NOW = 1_700_000_000_000;
const telemetry = (pack: string) => telemetryOfPack(readJson(pack), NOW);
const attributes = (pack: string) => attributesOfPack(readJson(pack));
const toCbor = (pack: string) => writeCbor(readOwnJson(pack), { integerKey: cborKeyOf });
const fromCbor = (bytes: Buffer) => readCbor(bytes, { integerName: labelOf });

const DEVICE = 'urn:dev:ow:10e2073a01080063';

/** The examples of RFC 8428 section 5.1, and what becomes of them. */
const EXAMPLES: readonly [section: string, pack: string, telemetry: string][] = [
  ['5.1.1', `[{"n":"${DEVICE}","u":"Cel","v":23.1}]`, `[{"ts":${NOW},"values":{"${DEVICE}":23.1}}]`],
  [
    '5.1.2, two values now',
    `[{"bn":"${DEVICE}:","n":"voltage","u":"V","v":120.1},{"n":"current","u":"A","v":1.2}]`,
    `[{"ts":${NOW},"values":{"${DEVICE}:voltage":120.1,"${DEVICE}:current":1.2}}]`,
  ],
  [
    '5.1.2, the last seconds',
    `[{"bn":"urn:dev:ow:10e2073a0108006:","bt":1.276020076001e+09,"bu":"A","bver":5,"n":"voltage","u":"V","v":120.1},
      {"n":"current","t":-5,"v":1.2},{"n":"current","t":-4,"v":1.3},{"n":"current","t":-1,"v":1.6},{"n":"current","v":1.7}]`,
    '[{"ts":1276020076001,"values":{"urn:dev:ow:10e2073a0108006:voltage":120.1,"urn:dev:ow:10e2073a0108006:current":1.7}},' +
      '{"ts":1276020071001,"values":{"urn:dev:ow:10e2073a0108006:current":1.2}},' +
      '{"ts":1276020072001,"values":{"urn:dev:ow:10e2073a0108006:current":1.3}},' +
      '{"ts":1276020075001,"values":{"urn:dev:ow:10e2073a0108006:current":1.6}}]',
  ],
  [
    '5.1.2, a stream',
    `[{"bn":"${DEVICE}","bt":1.320067464e+09,"bu":"%RH","v":21.2},{"t":10,"v":21.3},{"t":20,"v":21.4}]`,
    `[{"ts":1320067464000,"values":{"${DEVICE}":21.2}},{"ts":1320067474000,"values":{"${DEVICE}":21.3}},` +
      `{"ts":1320067484000,"values":{"${DEVICE}":21.4}}]`,
  ],
  [
    '5.1.3, one name with several units',
    `[{"bn":"${DEVICE}","bt":1.320067464e+09,"bu":"%RH","v":20},{"u":"lon","v":24.30621},{"u":"lat","v":60.07965},
      {"t":60,"v":20.3},{"u":"lon","t":60,"v":24.30622},{"u":"lat","t":60,"v":60.07965},{"u":"%EL","t":150,"v":98}]`,
    `[{"ts":1320067464000,"values":{"${DEVICE}":20,"${DEVICE}:lon":24.30621,"${DEVICE}:lat":60.07965}},` +
      `{"ts":1320067524000,"values":{"${DEVICE}":20.3,"${DEVICE}:lon":24.30622,"${DEVICE}:lat":60.07965}},` +
      `{"ts":1320067614000,"values":{"${DEVICE}:%EL":98}}]`,
  ],
  [
    '5.1.5, every type of value',
    `[{"bn":"${DEVICE}:","n":"temp","u":"Cel","v":23.1},{"n":"label","vs":"Machine Room"},{"n":"open","vb":false},
      {"n":"nfc-reader","vd":"aGkgCg"}]`,
    `[{"ts":${NOW},"values":{"${DEVICE}:temp":23.1,"${DEVICE}:label":"Machine Room","${DEVICE}:open":false,` +
      `"${DEVICE}:nfc-reader":"aGkgCg"}}]`,
  ],
  [
    '5.1.6, two base names and one base time',
    `[{"bn":"2001:db8::2/","bt":1.320078429e+09,"n":"temperature","u":"Cel","v":25.2},{"n":"humidity","u":"%RH","v":30},
      {"bn":"2001:db8::1/","n":"temperature","u":"Cel","v":12.3},{"n":"humidity","u":"%RH","v":67}]`,
    '[{"ts":1320078429000,"values":{"2001:db8::2/temperature":25.2,"2001:db8::2/humidity":30,' +
      '"2001:db8::1/temperature":12.3,"2001:db8::1/humidity":67}}]',
  ],
  [
    '5.1.7, a record of a base name alone',
    `[{"bn":"${DEVICE}:"},{"n":"temp","u":"Cel","v":23.1},{"n":"heat","u":"/","v":1},{"n":"fan","u":"/","v":0}]`,
    `[{"ts":${NOW},"values":{"${DEVICE}:temp":23.1,"${DEVICE}:heat":1,"${DEVICE}:fan":0}}]`,
  ],
  [
    '5.1.7, a tenth of a second later',
    '[{"bt":1.320078429e+09,"bu":"/","n":"2001:db8::3","v":0.5},{"n":"2001:db8::3","t":0.1,"v":0}]',
    '[{"ts":1320078429000,"values":{"2001:db8::3":0.5}},{"ts":1320078429100,"values":{"2001:db8::3":0}}]',
  ],
];

describe('SenML', () => {
  it.each(EXAMPLES)('reads the example of RFC 8428 section %s', (_section, pack, expected) => {
    expect(telemetry(pack)).toBe(expected);
  });

  it.each(EXAMPLES)('means the same in CBOR: section %s', (_section, pack, expected) => {
    const read = JSON.parse(telemetryOfPack(readJson(fromCbor(toCbor(pack))), NOW));
    expect(read).toEqual(JSON.parse(expected));
  });

  it('reads the dump of RFC 8428 section 6', () => {
    const bytes = Buffer.from(
      '87a721781b75726e3a6465763a6f773a3130653230373361303130383030363a22fb41d303a15b00106223614120050067766f6c74616765' +
        '01615602fb405e066666666666a3006763757272656e74062402fb3ff3333333333333a3006763757272656e74062302fb3ff4cccccccccccd' +
        'a3006763757272656e74062202fb3ff6666666666666a3006763757272656e74062102f93e00a3006763757272656e74062002fb3ff999999999' +
        '999aa3006763757272656e74060002fb3ffb333333333333',
      'hex',
    );
    const records = JSON.parse(telemetryOfPack(readJson(fromCbor(bytes)), NOW));
    expect(records).toHaveLength(6);
    expect(records[0]).toEqual({
      ts: 1276020076001,
      values: { 'urn:dev:ow:10e2073a0108006:voltage': 120.1, 'urn:dev:ow:10e2073a0108006:current': 1.7 },
    });
  });

  it.each([
    [
      'a number keeps its text',
      '[{"n":"a","v":42},{"n":"b","v":42.0},{"n":"c","v":1.10}]',
      '{"a":42,"b":42.0,"c":1.10}',
    ],
    ['64-bit integers are exact', '[{"n":"a","v":9223372036854775807}]', '{"a":9223372036854775807}'],
    ['a base value is added as a decimal', '[{"bv":20.1,"n":"a","v":0.3},{"n":"b"}]', '{"a":20.4,"b":20.1}'],
    ['an integer and a base integer stay one', '[{"bv":9007199254740993,"n":"a","v":1}]', '{"a":9007199254740994}'],
    ['a float on top of an integer is a float', '[{"bv":20,"n":"a","v":1.0},{"n":"b","v":1e1}]', '{"a":21.0,"b":30.0}'],
    [
      'a long number is added as a double',
      '[{"bv":1e300,"n":"a","v":1},{"bv":1,"n":"b","v":1e-999999999}]',
      '{"a":1.0E300,"b":1.0}',
    ],
    [
      'a base value changes nothing in other values',
      '[{"bv":20,"n":"a","vs":"x"},{"n":"b","vb":true}]',
      '{"a":"x","b":true}',
    ],
    ['a sum has a key of its own', '[{"n":"a","v":1,"s":100},{"n":"b","s":7}]', '{"a":1,"a.sum":100,"b.sum":7}'],
    ['a base sum is added', '[{"bs":100,"n":"a","s":5,"v":1}]', '{"a":1,"a.sum":105}'],
    ['an unknown label is passed over', '[{"n":"a","v":1,"x":{"y":2},"bx":3}]', '{"a":1}'],
    ['an update time says nothing', '[{"n":"a","v":1,"ut":5}]', '{"a":1}'],
    ['a record without a unit is like the first of its name', '[{"n":"a","u":"Cel","v":1},{"n":"a","v":2}]', '{"a":2}'],
    ['the version of RFC 8798 is known', '[{"bver":26,"n":"a","v":1}]', '{"a":1}'],
    ['of two of one name and time the last counts', '[{"n":"a","v":1},{"n":"a","v":2}]', '{"a":2}'],
  ])('%s', (_what, pack, values) => {
    expect(telemetry(pack)).toBe(`[{"ts":${NOW},"values":${values}}]`);
    expect(attributes(pack)).toBe(values);
  });

  it.each([
    ['below 2^28 from now', '"t":-1.5', NOW - 1500],
    ['up to the last of them', '"t":268435455', NOW + 268_435_455_000],
    ['from 2^28 on since 1970', '"t":268435456', 268_435_456_000],
    ['base time and time together', '"bt":268435455,"t":1', 268_435_456_000],
    ['to the millisecond', '"t":1700000000.123', 1_700_000_000_123],
    ['with an exponent', '"t":1.7e9', 1_700_000_000_000],
  ])('times count %s', (_what, times, ts) => {
    expect(telemetry(`[{"n":"a",${times},"v":1}]`)).toBe(`[{"ts":${ts},"values":{"a":1}}]`);
  });

  it('has attributes without times', () => {
    expect(attributes('[{"n":"a","t":5,"v":1},{"n":"a","t":6,"v":2},{"n":"b","vs":"x"}]')).toBe('{"a":2,"b":"x"}');
  });

  it('counts a name that is too long for a key among those that are left out, and does not carry it along', () => {
    const long = 'a'.repeat(1_000_000);
    const records = Array.from({ length: 15_000 }, (_, i) => `{"n":"${i}","u":"${i % 2}","v":1}`);
    const pack = `[{"bn":"${long}","bu":"${long}"},${records.join(',')}]`;
    expect(attributes(pack)).toMatch(/^{"a{256}":1,"a{256}:1":1}$/);
  });

  it('takes an empty pack for no data', () => {
    expect([telemetry('[]'), attributes('[]')]).toEqual(['[]', '{}']);
  });

  it.each([
    ['a pack that is an object', '{"n":"a","v":1}'],
    ['a record that is none', '[1]'],
    ['a label that has to be understood', '[{"n":"a","v":1,"x_":1}]'],
    ['a base label that has to be understood', '[{"bx_":1},{"n":"a","v":1}]'],
    ['a later version', '[{"bver":11,"n":"a","v":1}]'],
    ['a version that is no integer', '[{"bver":1.5,"n":"a","v":1}]'],
    ['a record without a name', '[{"v":1}]'],
    ['a name with a space', '[{"n":"a b","v":1}]'],
    ['a name that begins with a dash', '[{"n":"-a","v":1}]'],
    ['a record without a value', '[{"n":"a"}]'],
    ['a record with two values', '[{"n":"a","v":1,"vs":"x"}]'],
    ['a value in quotes', '[{"n":"a","v":"1"}]'],
    ['a value that is null', '[{"n":"a","v":null}]'],
    ['a text that is a number', '[{"n":"a","vs":1}]'],
    ['a boolean that is a number', '[{"n":"a","vb":1}]'],
    ['data that is no base64url', '[{"n":"a","vd":"a+b="}]'],
    ['a time that is text', '[{"n":"a","v":1,"t":"now"}]'],
    ['a unit that is a number', '[{"n":"a","v":1,"u":1}]'],
    ['a time without end', '[{"n":"a","v":1,"t":1e400}]'],
    ['a time before all others', '[{"n":"a","v":1,"t":-1e300}]'],
    ['a base value that no double holds', '[{"bv":1e999999999,"n":"a","v":1}]'],
    ['a sum that no double holds', '[{"bs":-1.7e308,"n":"a","s":-1.7e308}]'],
    ['one bad record at the end', '[{"n":"a","v":1},{"n":"b"}]'],
  ])('refuses %s', (_what, pack) => {
    for (const read of [telemetry, attributes]) {
      if (read === attributes && pack.includes('"t":1e400')) continue;
      if (read === attributes && pack.includes('"t":-1e300')) continue;
      expect(() => read(pack)).toThrow(expect.objectContaining({ code: 'BAD_PAYLOAD' }));
    }
  });

  it('takes an integer key it does not know for an unknown label, and `0` in quotes for another one than 0', () => {
    expect(telemetryOfPack(readJson(fromCbor(Buffer.from('81a300616102011863f5', 'hex'))), NOW)).toContain('{"a":1}');
    expect(() => telemetry('[{"0":"a","2":1}]')).toThrow('name of a record');
  });

  it('takes a pack of 16000 records whatever is in them, and speaks of records where there are more', () => {
    const pack = (count: number) =>
      `[${Array.from({ length: count }, (_, i) => `{"n":"a","v":1,"s":2,"t":${i}}`).join(',')}]`;
    const about = { kind: 'telemetry', now: NOW } as const;
    for (const codec of [SENML_JSON, SENML_CBOR]) {
      const bytes = (count: number) => (codec === SENML_JSON ? Buffer.from(pack(count)) : toCbor(pack(count)));
      expect(readJson(codec.decode(bytes(16_000), about))).toHaveLength(16_000);
      for (const count of [16_001, 60_000]) {
        expect(() => codec.decode(bytes(count), about)).toThrow('the pack has more than 16000 records');
      }
    }
  });

  it('writes attributes with their scope as base name', () => {
    const entries = Object.entries({
      on: 'true',
      count: '9223372036854775807',
      level: '42.0',
      large: '1.0E10',
      label: '"Machine Room"',
      tree: '{"b":[1,2.0]}',
    }).map(([key, value]) => ({ key, value: trustedValue(value) }));
    const shared = [{ key: 'limit', value: trustedValue('5') }];
    const pack = packOf([
      { baseName: 'client/', entries },
      { baseName: 'shared/', entries: shared },
    ]);
    expect(pack).toBe(
      '[{"bn":"client/","n":"on","vb":true},{"n":"count","v":9223372036854775807},{"n":"level","v":42.0},' +
        '{"n":"large","v":1.0e10},{"n":"label","vs":"Machine Room"},{"n":"tree","vs":"{\\"b\\":[1,2.0]}"},' +
        '{"bn":"shared/","n":"limit","v":5}]',
    );
    expect(fromCbor(toCbor(pack))).toBe(pack.replace('1.0e10', '1.0E10'));
  });

  it('writes deleted attributes as null and leaves out what is no name', () => {
    const entries = ['a', 'b c', ''].map((key) => ({ key, value: trustedValue('1') }));
    expect(packOf([{ entries, deleted: ['gone', '?'] }])).toBe('[{"n":"a","v":1},{"n":"gone","v":null}]');
    expect(packOf([{ baseName: 'client/', entries: [] }])).toBe('[]');
  });

  it('reads back what it wrote', () => {
    const name = fc.stringMatching(/^[A-Za-z0-9][-A-Za-z0-9:./_]{0,9}$/);
    const value = fc.oneof(
      fc.boolean().map(String),
      fc.maxSafeInteger().map(String),
      fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify(text)),
    );
    fc.assert(
      fc.property(fc.dictionary(name, value), (members) => {
        const pack = packOf([
          { entries: Object.entries(members).map(([key, text]) => ({ key, value: trustedValue(text) })) },
        ]);
        for (const again of [pack, fromCbor(toCbor(pack))]) {
          expect(JSON.parse(attributes(again))).toEqual(
            Object.fromEntries(Object.entries(members).map(([key, text]) => [key, JSON.parse(text)])),
          );
        }
      }),
    );
  });

  it('makes valid JSON of any records, or refuses them', () => {
    const field = fc.oneof(fc.double(), fc.integer(), fc.string(), fc.boolean(), fc.constant(null));
    const label = fc.constantFrom(
      'bn',
      'bt',
      'bu',
      'bv',
      'bs',
      'bver',
      'n',
      'u',
      'v',
      'vs',
      'vb',
      'vd',
      't',
      's',
      'ut',
    );
    fc.assert(
      fc.property(fc.array(fc.dictionary(label, field, { maxKeys: 4 }), { maxLength: 4 }), (records) => {
        const pack = JSON.stringify(records);
        for (const read of [telemetry, attributes]) {
          try {
            JSON.parse(read(pack));
          } catch (error) {
            expect(error).toMatchObject({ code: 'BAD_PAYLOAD' });
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});
