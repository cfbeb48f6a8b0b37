import { type Millis, pointLine } from '@tandem/core';
import type { ViewEnvironment } from './environment';
import { bucketOfKey, mergeRows, rowRange } from './history-rows';

/** Rows that are looked at in one go. */
const PIECE = 1_000;
/** Characters of a bucket that are merged at once; rows of large values gain nothing by it, and are as they are. */
const MAX_MERGED = 8_000_000;
/** Characters of a row: with them it takes one page of the file (pending-rows.ts). */
const MAX_ROW = 3_500;
const ALL = { startTs: Number.MIN_SAFE_INTEGER, endTs: Number.MAX_SAFE_INTEGER + 1 };

/**
 * Within a transaction: puts the points of each bucket, which came with many steps and so in many rows, into as few rows as
 * they fit. Read again and again, they are read faster so, and take less room; a bucket that is still written to is left alone.
 * @param first bucket, inclusive
 * @param end bucket, exclusive
 * @param until by `performance.now()`
 * @returns the bucket to go on with; undefined when all is done
 */
export function mergeBuckets(
  view: ViewEnvironment,
  series: Buffer,
  first: number,
  end: number,
  until: Millis,
): number | undefined {
  if (first >= end) return undefined;
  const range = rowRange(series, first, end - 1);
  let start = range.start;
  let keys: Buffer[] = [];
  for (;;) {
    const piece = [...view.history.getKeys({ start, end: range.end, limit: PIECE })];
    let merged = false;
    for (const key of piece) {
      const [before] = keys;
      if (before && bucketOfKey(before) !== bucketOfKey(key)) {
        mergeBucket(view, keys);
        merged = true;
        keys = [];
      }
      keys.push(key);
    }
    const last = piece.at(-1);
    if (!last || piece.length < PIECE) break;
    if (merged && performance.now() >= until) return bucketOfKey(last);
    start = Buffer.concat([last, AFTER]);
  }
  mergeBucket(view, keys);
  return undefined;
}

/** Behind a key: the next key there can be. */
const AFTER = Buffer.alloc(1);

/** @param keys of all rows of one bucket, in the order of their steps */
function mergeBucket(view: ViewEnvironment, keys: readonly Buffer[]): void {
  if (keys.length < 2) return;
  const stored: string[] = [];
  let characters = 0;
  for (const key of keys) {
    const row = view.history.get(key) ?? '';
    characters += row.length;
    if (characters > MAX_MERGED) return;
    stored.push(row);
  }
  const rows = packed(stored);
  // Nearly full ones as well would be written anew for nothing.
  if (rows.length > keys.length / 2) return;
  const kept = keys.length - rows.length;
  for (const [n, key] of keys.entries()) {
    // Each time is in one row only, and what comes later has a later key: the order of these says nothing any more.
    const row = rows[n - kept];
    if (row === undefined) void view.history.remove(key);
    else void view.history.put(key, row);
  }
}

function packed(rows: readonly string[]): string[] {
  const full: string[] = [];
  let row = '';
  for (const { ts, value } of mergeRows(rows, ALL.startTs, ALL.endTs)) {
    const line = pointLine(ts, value);
    if (row !== '' && row.length + line.length >= MAX_ROW) {
      full.push(row);
      row = '';
    }
    row += row === '' ? line : `\n${line}`;
  }
  full.push(row);
  return full;
}
