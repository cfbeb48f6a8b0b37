import fc from 'fast-check';
import {
  doubleValue,
  longValue,
  stringValue,
  trustedValue,
  type Value,
  valueToText,
  valueType,
} from '../payload/value';
import { AGGREGATIONS, type Aggregation, accumulatorOf } from './aggregation';

function aggregate(aggregation: Aggregation, texts: readonly string[]): string | undefined {
  const accumulator = accumulatorOf(aggregation);
  for (const text of texts) accumulator.add(trustedValue(text));
  return accumulator.result();
}

const LONG_MAX = '9223372036854775807';
const LONG_MIN = '-9223372036854775808';

describe('The values of one interval', () => {
  it.each<[Aggregation, string[], string | undefined]>([
    ['AVG', [], undefined],
    ['AVG', ['1', '2'], '1.5'],
    ['AVG', ['2', '2'], '2.0'],
    ['AVG', ['1', '2.5'], '1.75'],
    ['AVG', ['4', '"text"', 'true', '{"a":1}'], '4.0'],
    ['AVG', ['"text"'], '0.0'],
    ['AVG', [LONG_MAX, LONG_MAX], '9.223372036854776E18'],
    ['SUM', [], undefined],
    ['SUM', ['1', '2'], '3'],
    ['SUM', ['1', '2.0'], '3.0'],
    ['SUM', ['true', '"7"'], '0'],
    ['SUM', ['9007199254740993', '1'], '9007199254740994'],
    ['SUM', [LONG_MAX, '-1', '1'], LONG_MAX],
    ['SUM', [LONG_MAX, '1'], '9.223372036854776E18'],
    ['SUM', [LONG_MIN, LONG_MAX], '-1'],
    ['SUM', ['0.1', '0.2'], '0.30000000000000004'],
    ['SUM', ['1.7976931348623157E308', '1.7976931348623157E308'], '"Infinity"'],
    ['SUM', ['5000000.0', '5000000.0'], '1.0E7'],
    ['MIN', [], undefined],
    ['MIN', ['3', '-2', '10'], '-2'],
    ['MAX', ['3', '-2', '10'], '10'],
    ['MAX', [LONG_MAX, '9223372036854775806'], LONG_MAX],
    ['MIN', [LONG_MIN, '-9223372036854775807', '5'], LONG_MIN],
    ['MAX', ['-5.5', '-7'], '-5.5'],
    ['MAX', ['-5.5', '3'], '3.0'],
    ['MIN', ['42.0', '42'], '42.0'],
    ['MIN', ['"b"', '"a"', '"c"'], '"a"'],
    ['MAX', ['"b"', '"a"', '"c"'], '"c"'],
    ['MAX', ['"zzz"', '1'], '1'],
    ['MIN', ['true', 'false', '{"a":1}', '[1]'], undefined],
    ['MIN', ['"a\\n"', '"a"'], '"a"'],
    ['COUNT', [], undefined],
    ['COUNT', ['1', '2.0', '3'], '3'],
    ['COUNT', ['true', '1', '"a"', 'false'], '2'],
    ['COUNT', ['1', '"a"', '{}'], '1'],
    ['COUNT', ['1', '{}', '[]'], '2'],
  ])('%s of %j is %s', (aggregation, texts, result) => {
    expect(aggregate(aggregation, texts)).toBe(result);
  });

  it('are aggregated as a plain reckoning with exact numbers says, whatever they are', () => {
    fc.assert(
      fc.property(fc.constantFrom(...AGGREGATIONS), fc.array(aValue, { maxLength: 12 }), (aggregation, values) => {
        expect(aggregate(aggregation, values)).toBe(plainly(aggregation, values));
      }),
      { numRuns: 2_000 },
    );
  });
});

const aLong = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.integer().map(BigInt),
  fc.constantFrom(2n ** 53n, -(2n ** 53n), 999_999_999_999_999n, 2n ** 63n - 1n, -(2n ** 63n)),
);
const aValue: fc.Arbitrary<Value> = fc.oneof(
  aLong.map(longValue),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(doubleValue),
  fc.string().map(stringValue),
  fc.constantFrom(...['true', 'false', '{"a":1}', '[]'].map(trustedValue)),
);

/** The rules written down as simply as they can be. */
function plainly(aggregation: Aggregation, values: readonly Value[]): string | undefined {
  const of = (type: string) => values.filter((value) => valueType(value) === type);
  const longs = of('LONG').map(BigInt);
  const doubles = of('DOUBLE').map(Number);
  if (values.length === 0) return undefined;
  const long = longs.reduce((a, b) => a + b, 0n);
  const double = doubles.reduce((a, b) => a + b, 0);
  const numbers = longs.length + doubles.length;
  const finite = (n: number) => (Number.isFinite(n) ? doubleValue(n) : JSON.stringify(String(n)));
  switch (aggregation) {
    case 'COUNT': {
      const count = [of('BOOLEAN'), of('STRING'), of('JSON')].find((some) => some.length > 0)?.length ?? numbers;
      return String(count);
    }
    case 'AVG':
      return numbers === 0 ? '0.0' : finite((Number(long) + double) / numbers);
    case 'SUM':
      if (doubles.length > 0) return finite(double + Number(long));
      return long >= -(2n ** 63n) && long < 2n ** 63n ? String(long) : finite(Number(long));
    default: {
      const pick = <T>(all: readonly T[]) => all.reduce((a, b) => ((aggregation === 'MIN' ? b < a : b > a) ? b : a));
      if (doubles.length > 0) return doubleValue(pick([...doubles, ...longs.map(Number)]));
      if (longs.length > 0) return String(pick(longs));
      const strings = of('STRING').map(valueToText);
      return strings.length > 0 ? JSON.stringify(pick(strings)) : undefined;
    }
  }
}
