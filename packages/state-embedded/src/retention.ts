import type { EpochMillis, Millis } from '@tandem/core';
import type { ViewEnvironment } from './environment';
import { bucketOf, bucketOfKey, seriesOf, startOfBucket } from './history-rows';
import { prefixRange, timestampIn } from './keys';
import { mergeBuckets } from './row-merge';
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
  /** The table that comes next, and the last key of it that was looked at, or the last series that is done; in base64. */
  readonly at: 'expiring' | 'history';
  readonly cursor: string;
  /** Buckets whose rows are merged: those since the last pass that are not written to any more. */
  readonly mergeFrom: number;
  readonly mergeTo: number;
  /** Of the series after the cursor those before this bucket are merged. */
  readonly merged?: number;
}

export interface SweepResult {
  readonly pass: Pass;
  /** Points. */
  readonly removed: number;
}

/** How long a step works before it commits: the materialiser waits for it. */
const STEP: Millis = 15;
/** How long after its end a bucket counts as written to: what waits in the log comes late. */
const GRACE: Millis = 300_000;
/** Points of `expiring` that are looked at between two looks at the time. */
const PIECE = 500;
/** At the end of a key of `expiring`. */
const TIME_BYTES = 8;

/** Before the first one. */
const NO_PASS: Pass = {
  begun: 0,
  ended: 1,
  at: 'history',
  cursor: '',
  mergeFrom: 0,
  mergeTo: bucketOf(Number.MIN_SAFE_INTEGER),
};

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
    const after = pass.at === 'expiring' ? step.expiring(pass) : step.history(pass);
    view.meta.put('retention', JSON.stringify(after));
    return { pass: after, removed: step.removed };
  });
}

const passOf = (stored: Pass, now: EpochMillis): Pass =>
  stored.ended > 0
    ? {
        begun: now,
        ended: 0,
        at: 'expiring',
        cursor: '',
        mergeFrom: stored.mergeTo,
        mergeTo: Math.max(stored.mergeTo, bucketOf(now - GRACE)),
      }
    : stored;

const textOf = (key: Buffer): string => key.toString('base64');

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

  /** Removes points whose time is over. */
  expiring(pass: Pass): Pass {
    let last: Buffer = Buffer.from(pass.cursor, 'base64');
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
      if (rows.length < PIECE) return { ...pass, at: 'history', cursor: '' };
      last = rows.at(-1)?.key ?? last;
    } while (performance.now() < this.until);
    return { ...pass, cursor: textOf(last) };
  }

  /** Removes what is too old or too much, and merges rows, series by series. */
  history({ merged, ...pass }: Pass): Pass {
    const { maxAge, maxPoints } = this.rules;
    let done: Buffer = Buffer.from(pass.cursor, 'base64');
    let from = merged ?? pass.mergeFrom;
    for (let first = this.#firstAfter(done); first; first = this.#firstAfter(done)) {
      const series = seriesOf(first);
      // By whole buckets: else the row at the border would be written anew by every pass.
      const oldest = bucketOf(this.now - maxAge);
      if (maxAge > 0 && bucketOfKey(first) < oldest) this.#remove(series, startOfBucket(oldest));
      if (maxPoints !== undefined) this.#keepNewest(series, maxPoints);
      if (this.#cutOff) return { ...pass, cursor: textOf(done), merged: from };
      const next = mergeBuckets(this.view, series, from, pass.mergeTo, this.until);
      if (next !== undefined) return { ...pass, cursor: textOf(done), merged: next };
      done = series;
      from = pass.mergeFrom;
      if (performance.now() >= this.until) return { ...pass, cursor: textOf(done) };
    }
    return { ...pass, ended: this.now, cursor: '' };
  }

  /** The first row of the next series. */
  #firstAfter(series: Buffer): Buffer | undefined {
    const start = series.length > 0 ? prefixRange(series).end : Buffer.alloc(0);
    return start && [...this.view.history.getKeys({ start, limit: 1 })][0];
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
