import { TandemError } from '../errors';
import type { EpochMillis, Millis } from '../platform/clock';
import { DAY, type TimeZone } from './time-zone';

export const CALENDAR_INTERVALS = ['WEEK', 'WEEK_ISO', 'MONTH', 'QUARTER'] as const;
/** A week begins on Sunday, that of ISO 8601 on Monday. */
export type CalendarInterval = (typeof CALENDAR_INTERVALS)[number];

/** Inclusive start, exclusive end. */
export interface Interval {
  readonly start: EpochMillis;
  readonly end: EpochMillis;
}

/** How a range of time is divided: the intervals touch, and those at its ends are cut where it begins and ends. */
export interface Intervals extends Interval {
  /** How many there are, about: what the limit is about (server contract 5.1). */
  readonly count: number;
  /** The one that a time of the range is in. */
  of(ts: EpochMillis): Interval;
}

/** Shorter intervals count as if they were so long. */
const LEAST_COUNTED: Millis = 1_000;
/** Calendars go no further: what a Date can hold, and room for the interval at its end. */
const CALENDAR_END: EpochMillis = 8_640_000_000_000_000 - 400 * DAY;

const NOMINAL_DAYS: Readonly<Record<CalendarInterval, number>> = { WEEK: 7, WEEK_ISO: 7, MONTH: 30, QUARTER: 90 };

/**
 * Intervals of one length, from the start of the range on.
 * @param length at least 1
 */
export function fixedIntervals({ start, end }: Interval, length: Millis): Intervals {
  return {
    start,
    end,
    count: countOf({ start, end }, length),
    of(ts) {
      // Two times of the range can be further apart than a number is exact.
      const [from, step] = [BigInt(start), BigInt(length)];
      const begin = from + ((BigInt(ts) - from) / step) * step;
      const over = begin + step;
      return { start: Number(begin), end: over < BigInt(end) ? Number(over) : end };
    },
  };
}

/**
 * Intervals of the calendar: the first one ends with the week, month or quarter that the range begins in.
 * @throws TandemError BAD_REQUEST beyond the years that a calendar has
 */
export function calendarIntervals({ start, end }: Interval, type: CalendarInterval, zone: TimeZone): Intervals {
  if (start < -CALENDAR_END || end > CALENDAR_END) {
    throw new TandemError('BAD_REQUEST', { message: `A range beyond the calendar has no intervals of type ${type}` });
  }
  return {
    start,
    end,
    count: countOf({ start, end }, NOMINAL_DAYS[type] * DAY),
    of(ts) {
      let first = firstDay(zone.dayOf(ts), type);
      let next = followingFirstDay(first, type);
      // Where the clock was put back over midnight, a time after it can have the date of the day before.
      while (zone.startOf(next) <= ts) [first, next] = [next, followingFirstDay(next, type)];
      return { start: Math.max(start, zone.startOf(first)), end: Math.min(end, zone.startOf(next)) };
    },
  };
}

/** What is reported as the time of an interval's value. */
export const middleOf = ({ start, end }: Interval): EpochMillis =>
  Number(BigInt(start) + (BigInt(end) - BigInt(start)) / 2n);

const countOf = ({ start, end }: Interval, length: Millis): number =>
  Number((BigInt(end) - BigInt(start)) / BigInt(Math.max(length, LEAST_COUNTED)));

/** Days are counted from 1970-01-01, a Thursday. */
function firstDay(day: number, type: CalendarInterval): number {
  if (type === 'WEEK') return day - modulo(day + 4, 7);
  if (type === 'WEEK_ISO') return day - modulo(day + 3, 7);
  const date = new Date(day * DAY);
  const month = date.getUTCMonth();
  return dayNumber(date.getUTCFullYear(), type === 'MONTH' ? month : month - (month % 3));
}

function followingFirstDay(first: number, type: CalendarInterval): number {
  if (type === 'WEEK' || type === 'WEEK_ISO') return first + 7;
  const date = new Date(first * DAY);
  return dayNumber(date.getUTCFullYear(), date.getUTCMonth() + (type === 'MONTH' ? 1 : 3));
}

/** Of the first day of a month. `Date.UTC` takes the years before 100 for others. */
const dayNumber = (year: number, month: number): number => new Date(0).setUTCFullYear(year, month, 1) / DAY;

const modulo = (n: number, by: number): number => ((n % by) + by) % by;
