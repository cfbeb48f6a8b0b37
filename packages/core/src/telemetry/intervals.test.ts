import fc from 'fast-check';
import {
  CALENDAR_INTERVALS,
  type CalendarInterval,
  calendarIntervals,
  fixedIntervals,
  type Intervals,
  middleOf,
} from './intervals';
import { TimeZone } from './time-zone';

const MAX = Number.MAX_SAFE_INTEGER;

/** All of them, one after the other. */
function all(intervals: Intervals): [number, number][] {
  const found: [number, number][] = [];
  for (let at = intervals.start; at < intervals.end; at = found.at(-1)?.[1] ?? intervals.end) {
    const { start, end } = intervals.of(at);
    found.push([start, end]);
  }
  return found;
}

const zone = (name: string): TimeZone => TimeZone.of(name) ?? fail(name);
const fail = (name: string): never => {
  throw new Error(`${name} is not known`);
};

describe('Intervals of one length', () => {
  it.each<[number, number, number, [number, number][]]>([
    [
      0,
      10,
      4,
      [
        [0, 4],
        [4, 8],
        [8, 10],
      ],
    ],
    [
      -7,
      1,
      5,
      [
        [-7, -2],
        [-2, 1],
      ],
    ],
    [3, 4, 100, [[3, 4]]],
    [5, 5, 1, []],
    [
      MAX - 3,
      MAX,
      2,
      [
        [MAX - 3, MAX - 1],
        [MAX - 1, MAX],
      ],
    ],
    [
      -MAX,
      MAX,
      MAX,
      [
        [-MAX, 0],
        [0, MAX],
      ],
    ],
  ])('begin at the start of the range and are cut at its end: %d to %d by %d', (start, end, length, expected) => {
    expect(all(fixedIntervals({ start, end }, length))).toEqual(expected);
  });

  it.each([
    [0, 700_000, 1, 700],
    [0, 700_999, 1_000, 700],
    [0, 701_000, 999, 701],
    [0, 10_000, 5_000, 2],
    [-MAX, MAX, 1_000, 18_014_398_509_481],
    [10, 0, 1_000, 0],
  ])('from %d to %d by %d count %4$d, short ones as if they had a second', (start, end, length, count) => {
    expect(fixedIntervals({ start, end }, length).count).toBe(count);
  });

  it.each([
    [0, 10, 5],
    [0, 11, 5],
    [-3, 2, -1],
    [-MAX, MAX, 0],
    [MAX - 1, MAX, MAX - 1],
  ])('from %d to %d have their middle at %d', (start, end, middle) => {
    expect(middleOf({ start, end })).toBe(middle);
  });
});

describe('Intervals of the calendar', () => {
  const utc = (text: string) => Date.parse(text);

  it.each<[CalendarInterval, string, string, string, string[]]>([
    ['WEEK', 'UTC', '2024-05-15T10:00:00Z', '2024-05-28T00:00:00Z', ['2024-05-19T00:00:00Z', '2024-05-26T00:00:00Z']],
    [
      'WEEK_ISO',
      'UTC',
      '2024-05-15T10:00:00Z',
      '2024-05-28T00:00:00Z',
      ['2024-05-20T00:00:00Z', '2024-05-27T00:00:00Z'],
    ],
    ['WEEK', 'UTC', '2024-05-19T00:00:00Z', '2024-05-26T00:00:00Z', []],
    ['MONTH', 'UTC', '2024-01-31T12:00:00Z', '2024-03-01T00:00:00Z', ['2024-02-01T00:00:00Z']],
    [
      'QUARTER',
      'UTC',
      '2023-11-15T00:00:00Z',
      '2024-05-01T00:00:00Z',
      ['2024-01-01T00:00:00Z', '2024-04-01T00:00:00Z'],
    ],
    // The clock is put forward on 31 March and back on 27 October.
    [
      'MONTH',
      'Europe/Berlin',
      '2024-03-10T00:00:00Z',
      '2024-05-01T00:00:00Z',
      ['2024-03-31T22:00:00Z', '2024-04-30T22:00:00Z'],
    ],
    [
      'QUARTER',
      'Europe/Berlin',
      '2024-09-01T00:00:00Z',
      '2025-01-02T00:00:00Z',
      ['2024-09-30T22:00:00Z', '2024-12-31T23:00:00Z'],
    ],
    ['WEEK_ISO', 'Asia/Kathmandu', '2024-05-19T18:14:59Z', '2024-05-20T00:00:00Z', ['2024-05-19T18:15:00Z']],
    ['MONTH', '+02:00', '2024-05-15T00:00:00Z', '2024-06-15T00:00:00Z', ['2024-05-31T22:00:00Z']],
    ['MONTH', 'GMT-3', '2024-05-15T00:00:00Z', '2024-06-15T00:00:00Z', ['2024-06-01T03:00:00Z']],
    ['MONTH', 'America/Santiago', '2024-08-20T00:00:00Z', '2024-09-20T00:00:00Z', ['2024-09-01T04:00:00Z']],
    // There is no midnight on 8 September 2024: the day begins at one.
    ['WEEK', 'America/Santiago', '2024-09-05T00:00:00Z', '2024-09-10T00:00:00Z', ['2024-09-08T04:00:00Z']],
    // Midnight comes twice: the day begins with the first one.
    ['WEEK', 'America/Havana', '2024-11-01T00:00:00Z', '2024-11-05T00:00:00Z', ['2024-11-03T04:00:00Z']],
    // 30 December 2011 never came.
    ['MONTH', 'Pacific/Apia', '2011-12-20T00:00:00Z', '2012-01-20T00:00:00Z', ['2011-12-31T10:00:00Z']],
    ['MONTH', 'UTC', '0001-01-15T00:00:00Z', '0001-02-15T00:00:00Z', ['0001-02-01T00:00:00Z']],
    ['QUARTER', 'UTC', '1969-11-15T00:00:00Z', '1970-01-02T00:00:00Z', ['1970-01-01T00:00:00Z']],
  ])('are cut by every %s of %s: %s to %s', (type, name, from, to, borders) => {
    const range = { start: utc(from), end: utc(to) };
    const cuts = [range.start, ...borders.map(utc), range.end];
    const expected = cuts.slice(1).map((end, i) => [cuts[i], end]);
    expect(all(calendarIntervals(range, type, zone(name)))).toEqual(expected);
  });

  it('count by weeks of 7, months of 30 and quarters of 90 days', () => {
    const range = { start: 0, end: 360 * 86_400_000 };
    const counts = CALENDAR_INTERVALS.map((type) => calendarIntervals(range, type, TimeZone.UTC).count);
    expect(counts).toEqual([51, 51, 12, 4]);
  });

  it('are refused beyond the years that a calendar has', () => {
    for (const range of [
      { start: -MAX, end: 0 },
      { start: 0, end: MAX },
    ]) {
      expect(() => calendarIntervals(range, 'MONTH', TimeZone.UTC)).toThrow(
        expect.objectContaining({ code: 'BAD_REQUEST' }),
      );
    }
  });

  it('touch one another, and each time is within its own, in whatever zone', () => {
    const zones = ['UTC', 'Europe/Berlin', 'America/Havana', 'America/Santiago', 'Pacific/Apia', 'America/St_Johns'];
    fc.assert(
      fc.property(
        fc.constantFrom(...CALENDAR_INTERVALS),
        fc.constantFrom(...zones),
        fc.integer({ min: -4_000_000_000_000, max: 4_000_000_000_000 }),
        fc.integer({ min: 1, max: 40_000_000_000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (type, name, start, length, part) => {
          const intervals = calendarIntervals({ start, end: start + length }, type, zone(name));
          const ts = start + Math.floor(length * part);
          const { start: from, end } = intervals.of(ts);
          expect(from <= ts && ts < end).toBe(true);
          if (end < intervals.end) expect(intervals.of(end).start).toBe(end);
          if (from > start) expect(intervals.of(from - 1).end).toBe(from);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('A time zone', () => {
  it.each(['', 'Mars/Olympus', '+19:00', '+02:60', 'UTC+', '25', 'Europe/', '2024'])('%j is not known', (name) => {
    expect(TimeZone.of(name)).toBeUndefined();
  });

  it.each([
    ['Z', 0],
    ['UTC', 0],
    ['GMT', 0],
    ['GMT0', 0],
    ['UTC+2', 7_200_000],
    ['GMT-03:30', -12_600_000],
    ['+0530', 19_800_000],
    ['-1', -3_600_000],
    ['Asia/Kolkata', 19_800_000],
  ])('%s is %d ms from UTC', (name, offset) => {
    expect(zone(name).offsetAt(1_700_000_000_000)).toBe(offset);
  });
});
