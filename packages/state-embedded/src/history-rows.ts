import { type EpochMillis, parsePoint, type TelemetryPoint } from '@tandem/core';
import { offsetBytes, timestampBytes, timestampIn } from './keys';

/**
 * History is stored in rows of several points: a point of its own per row would cost a B-tree write for each value of each
 * message. A row belongs to one bucket of time and to one step of the materialiser; buckets never overlap, so a range of
 * time is a range of buckets. Of two points with the same timestamp the one of the later step, or later in the row, counts.
 * Rows of buckets that are over are merged (row-merge.ts).
 */
const BUCKET = 60_000;

/** What follows the series in a row's key: bucket and sequence. */
const TAIL_BYTES = 14;

export const bucketOf = (ts: EpochMillis): number => Math.floor(ts / BUCKET);

/** @param sequence of the step's last log entry: unique per step, and growing */
export const rowKey = (series: Buffer, bucket: number, sequence: number): Buffer =>
  Buffer.concat([series, timestampBytes(bucket), offsetBytes(sequence)]);

/** The keys of all rows of the series in the buckets from `first` to `last`, inclusive. */
export function rowRange(series: Buffer, first: number, last: number): { start: Buffer; end: Buffer } {
  return {
    start: Buffer.concat([series, timestampBytes(first)]),
    end: Buffer.concat([series, timestampBytes(last + 1)]),
  };
}

/** The part of a row's key that names its bucket, comparable as text. */
export const bucketPart = (key: Buffer): string => key.toString('latin1', key.length - TAIL_BYTES, key.length - 6);

export const bucketOfKey = (key: Buffer): number => timestampIn(key, key.length - TAIL_BYTES);

/** The first time of the bucket. */
export const startOfBucket = (bucket: number): EpochMillis => bucket * BUCKET;

/** The series of a row's key. */
export const seriesOf = (key: Buffer): Buffer => Buffer.from(key.subarray(0, key.length - TAIL_BYTES));

/**
 * The points of one bucket within [startTs, endTs), ascending, each timestamp once.
 * @param rows of the bucket, in the order of their steps
 */
export function mergeRows(rows: readonly string[], startTs: EpochMillis, endTs: EpochMillis): TelemetryPoint[] {
  const points = new Map<EpochMillis, TelemetryPoint>();
  for (const row of rows) {
    for (const line of row.split('\n')) {
      const point = parsePoint(line);
      if (point.ts >= startTs && point.ts < endTs) points.set(point.ts, point);
    }
  }
  return [...points.values()].sort((a, b) => a.ts - b.ts);
}
