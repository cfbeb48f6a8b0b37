import type { EpochMillis, Millis } from '@tandem/core';
import type { ViewEnvironment } from './environment';
import { bucketOf, bucketOfKey, seriesOf, startOfBucket } from './history-rows';
import { prefixRange, timestampIn } from './keys';
import { removePoints, timeOf } from './series-history';

/** What the history does not keep. */
export interface RetentionRules {
  /** By a point's own time; 0 = for ever. */
  readonly maxAge: Millis;
  /** Of a series; undefined = all. */
  readonly maxPoints: number | undefined;
}

/** A pass over the view: where it is goes with what it removes, so a pass that was cut off goes on where it was. */
export interface Pass {
  readonly begun: EpochMillis;
  /** When it was through; 0 while it is not. */
  readonly ended: EpochMillis;
  /** The table that comes next, and the last key of it that was looked at, in base64. */
  readonly at: 'expiring' | 'history';
  readonly cursor: string;
}

export interface SweepResult {
  readonly pass: Pass;
  /** Points. */
  readonly removed: number;
}

/** How long a step works before it commits: the materialiser waits for it. */
const STEP: Millis = 15;
/** Points of `expiring` that are looked at between two looks at the time. */
const PIECE = 500;
/** At the end of a key of `expiring`. */
const TIME_BYTES = 8;

/** Before the first one. */
const NO_PASS: Pass = { begun: 0, ended: 1, at: 'history', cursor: '' };

export const storedPass = (view: ViewEnvironment): Pass => {
  const text = view.meta.get('retention');
  return text === undefined ? NO_PASS : (JSON.parse(text) as Pass);
};

/** How much of it is done, from 0 to 1: devices are about evenly spread over the keys. */
export function progressOf({ ended, at, cursor }: Pass): number {
  if (ended > 0 || at === 'expiring') return ended > 0 ? 1 : 0;
  const head = Buffer.from(cursor, 'base64').subarray(0, 2);
  return head.length < 2 ? 0 : head.readUInt16BE() / 0x10000;
}

/** One bounded step of the pass under way, or of a new one, in one transaction of the view. */
export function sweep(view: ViewEnvironment, rules: RetentionRules, now: EpochMillis): SweepResult {
  const until = performance.now() + STEP;
  return view.root.transactionSync(() => {
    const pass = passOf(storedPass(view), now);
    const step = new SweepStep(view, rules, now, until);
    const cursor = Buffer.from(pass.cursor, 'base64');
    const next = pass.at === 'expiring' ? step.expiring(cursor) : step.history(cursor);
    const after: Pass = next
      ? { ...pass, cursor: next.toString('base64') }
      : pass.at === 'expiring'
        ? { ...pass, at: 'history', cursor: '' }
        : { ...pass, ended: now, cursor: '' };
    view.meta.put('retention', JSON.stringify(after));
    return { pass: after, removed: step.removed };
  });
}

const passOf = (stored: Pass, now: EpochMillis): Pass =>
  stored.ended > 0 ? { begun: now, ended: 0, at: 'expiring', cursor: '' } : stored;

class SweepStep {
  removed = 0;
  /** Whether the time was over before all of a series was removed that has to go, perhaps: the next step looks again. */
  #cutOff = false;

  constructor(
    private readonly view: ViewEnvironment,
    private readonly rules: RetentionRules,
    private readonly now: EpochMillis,
    private readonly until: Millis,
  ) {}

  /** Removes points whose time is over. @returns the last key that was looked at; undefined at the end */
  expiring(cursor: Buffer): Buffer | undefined {
    let last = cursor;
    do {
      const start = last.length > 0 ? { start: last, exclusiveStart: true } : {};
      const rows = [...this.view.expiring.getRange({ ...start, limit: PIECE })].map(({ key, value }) => ({
        key,
        value,
      }));
      for (const { key, value } of rows) {
        if (Number(value) > this.now) continue;
        const ts = timestampIn(key, key.length - TIME_BYTES);
        this.removed += removePoints(this.view, key.subarray(0, -TIME_BYTES), ts, ts + 1);
        this.view.expiring.remove(key);
      }
      if (rows.length < PIECE) return undefined;
      last = rows.at(-1)?.key ?? last;
    } while (performance.now() < this.until);
    return last;
  }

  /** Removes what is too old or too much, series by series. @returns the last series that is done; undefined at the end */
  history(cursor: Buffer): Buffer | undefined {
    const { maxAge, maxPoints } = this.rules;
    if (maxAge === 0 && maxPoints === undefined) return undefined;
    let done = cursor;
    for (let series = this.#seriesAfter(done); series; series = this.#seriesAfter(done)) {
      // By whole buckets: else the row at the border would be written anew by every pass.
      if (maxAge > 0) this.#removeBefore(series, startOfBucket(bucketOf(this.now - maxAge)));
      if (maxPoints !== undefined) this.#keepNewest(series, maxPoints);
      if (this.#cutOff) return done;
      done = series;
      if (performance.now() >= this.until) return done;
    }
    return undefined;
  }

  #seriesAfter(series: Buffer): Buffer | undefined {
    const start = series.length > 0 ? prefixRange(series).end : Buffer.alloc(0);
    const [key] = start ? this.view.history.getKeys({ start, limit: 1 }) : [];
    return key && seriesOf(key);
  }

  #removeBefore(series: Buffer, ts: EpochMillis): void {
    const [first] = this.view.history.getKeys({ ...prefixRange(series), limit: 1 });
    if (first && bucketOfKey(first) < bucketOf(ts)) this.#remove(series, ts);
  }

  #keepNewest(series: Buffer, max: number): void {
    const border = this.#oldestOf(series, max);
    if (border !== undefined) this.#remove(series, border);
  }

  /** The time of the oldest of the newest `max` points; undefined where there are no more than that. */
  #oldestOf(series: Buffer, max: number): EpochMillis | undefined {
    const { start, end } = prefixRange(series);
    const newestFirst = { start: end, end: start, exclusiveStart: true, inclusiveEnd: true, reverse: true };
    let bucket: number | undefined;
    let times = new Set<EpochMillis>();
    let newer = 0;
    let more = false;
    for (const { key, value } of this.view.history.getRange(newestFirst)) {
      if (bucketOfKey(key) !== bucket) {
        more = newer + times.size >= max;
        if (more) break;
        newer += times.size;
        times = new Set();
        bucket = bucketOfKey(key);
      }
      for (const line of value.split('\n')) times.add(timeOf(line));
    }
    if (!more && newer + times.size <= max) return undefined;
    return [...times].sort((a, b) => b - a)[max - newer - 1];
  }

  #remove(series: Buffer, before: EpochMillis): void {
    this.removed += removePoints(this.view, series, Number.MIN_SAFE_INTEGER, before, this.until);
    this.#cutOff ||= performance.now() >= this.until;
  }
}
