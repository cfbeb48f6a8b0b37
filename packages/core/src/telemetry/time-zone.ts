import type { EpochMillis, Millis } from '../platform/clock';

const SECOND: Millis = 1_000;
const MINUTE: Millis = 60 * SECOND;
const HOUR: Millis = 60 * MINUTE;
export const DAY: Millis = 24 * HOUR;

/** Java's forms of a fixed offset: `Z`, `+2`, `-03:30`, `UTC+02:00`, `GMT-1`. */
const FIXED = /^(?:(?:UTC|GMT|UT)(?=[+-]|$)|Z$)?(?:([+-])(\d{1,2})(?::?([0-5]\d))?)?$/;
const MAX_FIXED_HOURS = 18;
const OFFSET_NAME = /^GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/;

/** The local time of a place. */
export class TimeZone {
  static readonly UTC = new TimeZone(() => 0);

  private constructor(
    /** What is to be added to UTC at a time. */
    readonly offsetAt: (ts: EpochMillis) => Millis,
  ) {}

  /** @param name of the IANA database, or a fixed offset; undefined for one that nobody knows */
  static of(name: string): TimeZone | undefined {
    const fixed = fixedOffset(name);
    if (fixed !== undefined) return new TimeZone(() => fixed);
    try {
      const format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
      return new TimeZone((ts) => offsetOf(format, ts));
    } catch {
      return undefined;
    }
  }

  /** Days from 1970-01-01, by local time. */
  dayOf(ts: EpochMillis): number {
    return Math.floor((ts + this.offsetAt(ts)) / DAY);
  }

  /**
   * When the day begins: where midnight comes twice the first time, where the clock is put forward over it when that happens.
   * @param day from 1970-01-01
   */
  startOf(day: number): EpochMillis {
    const local = day * DAY;
    // No zone is a day away from UTC: these are before and after midnight, wherever that is.
    const [before, after] = [this.offsetAt(local - DAY), this.offsetAt(local + DAY)];
    const fits = [before, after].filter((offset) => this.offsetAt(local - offset) === offset);
    return local - (fits.length > 0 ? Math.max(...fits) : before);
  }
}

function fixedOffset(name: string): Millis | undefined {
  const found = name === '' ? undefined : FIXED.exec(name);
  if (!found) return undefined;
  const [, sign, hours = '0', minutes = '0'] = found;
  if (Number(hours) > MAX_FIXED_HOURS) return undefined;
  const length = Number(hours) * HOUR + Number(minutes) * MINUTE;
  return sign === '-' ? -length : length;
}

function offsetOf(format: Intl.DateTimeFormat, ts: EpochMillis): Millis {
  const name = format.formatToParts(ts).find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const [, sign, hours = '0', minutes = '0', seconds = '0'] = OFFSET_NAME.exec(name) ?? [];
  const length = Number(hours) * HOUR + Number(minutes) * MINUTE + Number(seconds) * SECOND;
  return sign === '-' ? -length : length;
}
