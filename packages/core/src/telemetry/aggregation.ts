import { doubleValue, longValue, stringValue, type Value, valueToText, valueType } from '../payload/value';

export const AGGREGATIONS = ['MIN', 'MAX', 'AVG', 'SUM', 'COUNT'] as const;
export type Aggregation = (typeof AGGREGATIONS)[number];

/** Takes the values of one interval, one by one, and makes one of them. */
export interface Accumulator {
  add(value: Value): void;
  /** Undefined where nothing was added that counts. */
  result(): Value | undefined;
}

/**
 * What ThingsBoard's database makes of the values of one interval (server contract 5.1):
 *
 * | | of | result |
 * |---|---|---|
 * | AVG | numbers | DOUBLE; 0.0 where there are values and none of them is a number |
 * | SUM | numbers | LONG, with a DOUBLE among them DOUBLE; 0 where there are values and none of them is a number |
 * | MIN, MAX | numbers, else strings | LONG, with a DOUBLE among them DOUBLE, else STRING |
 * | COUNT | booleans where there are any, else strings, else JSON, else numbers | LONG |
 *
 * LONGs are added and compared exactly; a sum that no LONG can hold is a DOUBLE. What no double can hold is a STRING:
 * `Infinity`, `-Infinity` or `NaN`. Strings are compared by their UTF-16 units.
 */
export function accumulatorOf(aggregation: Aggregation): Accumulator {
  switch (aggregation) {
    case 'MIN':
      return new Extreme(-1);
    case 'MAX':
      return new Extreme(1);
    case 'COUNT':
      return new Count();
    default:
      return new Total(aggregation);
  }
}

class Count implements Accumulator {
  readonly #counts = { BOOLEAN: 0, STRING: 0, JSON: 0, LONG: 0, DOUBLE: 0 };

  add(value: Value): void {
    this.#counts[valueType(value)]++;
  }

  result(): Value | undefined {
    const { BOOLEAN: booleans, STRING: strings, JSON: documents, LONG: longs, DOUBLE: doubles } = this.#counts;
    const count = booleans || strings || documents || longs + doubles;
    return count > 0 ? longValue(count) : undefined;
  }
}

/** Digits that a number holds exactly, whatever they are. */
const SAFE_DIGITS = 15;

class Total implements Accumulator {
  #values = 0;
  #longs = 0;
  #doubles = 0;
  /** The sum of the longs is both together: the first as long as it is exact, which is faster. */
  #small = 0;
  #large = 0n;
  #double = 0;

  constructor(private readonly kind: 'AVG' | 'SUM') {}

  add(value: Value): void {
    this.#values++;
    const type = valueType(value);
    if (type === 'DOUBLE') {
      this.#doubles++;
      this.#double += Number(value);
    } else if (type === 'LONG') {
      this.#longs++;
      const sum = this.#small + Number(value);
      if (value.length <= SAFE_DIGITS && Number.isSafeInteger(sum)) {
        this.#small = sum;
      } else {
        this.#large += BigInt(this.#small) + BigInt(value);
        this.#small = 0;
      }
    }
  }

  result(): Value | undefined {
    if (this.#values === 0) return undefined;
    const long = this.#large + BigInt(this.#small);
    if (this.kind === 'SUM') return this.#doubles > 0 ? anyDouble(this.#double + Number(long)) : anyLong(long);
    const numbers = this.#longs + this.#doubles;
    return anyDouble(numbers === 0 ? 0 : (Number(long) + this.#double) / numbers);
  }
}

class Extreme implements Accumulator {
  #small: number | undefined;
  #large: bigint | undefined;
  #double: number | undefined;
  #text: string | undefined;

  /** @param sign -1 for the least, 1 for the greatest */
  constructor(private readonly sign: -1 | 1) {}

  add(value: Value): void {
    switch (valueType(value)) {
      case 'LONG':
        if (value.length <= SAFE_DIGITS) this.#small = this.#better(this.#small, Number(value));
        else this.#large = this.#better(this.#large, BigInt(value));
        break;
      case 'DOUBLE':
        this.#double = this.#better(this.#double, Number(value));
        break;
      case 'STRING':
        this.#text = this.#better(this.#text, valueToText(value));
    }
  }

  result(): Value | undefined {
    const long = this.#better(this.#large, this.#small === undefined ? undefined : BigInt(this.#small));
    const double = this.#double;
    if (double !== undefined) return doubleValue(long === undefined ? double : this.#better(double, Number(long)));
    if (long !== undefined) return longValue(long);
    return this.#text === undefined ? undefined : stringValue(this.#text);
  }

  #better<T extends number | bigint | string>(known: T | undefined, candidate: T): T;
  #better<T extends number | bigint | string>(known: T | undefined, candidate: T | undefined): T | undefined;
  #better<T extends number | bigint | string>(known: T | undefined, candidate: T | undefined): T | undefined {
    if (known === undefined || candidate === undefined) return known ?? candidate;
    return candidate < known === this.sign < 0 ? candidate : known;
  }
}

const anyLong = (n: bigint): Value => (BigInt.asIntN(64, n) === n ? longValue(n) : doubleValue(Number(n)));

const anyDouble = (n: number): Value => (Number.isFinite(n) ? doubleValue(n) : stringValue(String(n)));
