import {
  type Deletion,
  type EpochMillis,
  type HistoryQuery,
  type Millis,
  parsePoint,
  pointLine,
  type TelemetryPoint,
} from '@tandem/core';
import type { ViewEnvironment } from './environment';
import { bucketOf, bucketPart, mergeRows, rowRange } from './history-rows';
import { nameBytes, timestampBytes } from './keys';

/** Rows that are looked at between two writes, and characters after which no more are. */
const PIECE = 1_000;
const PIECE_CHARACTERS = 8_000_000;

/** What the history keys of one series begin with. The length goes first, so that no series is a prefix of another. */
export function seriesPrefix(device: Buffer, key: string): Buffer | undefined {
  const name = nameBytes(key);
  if (!name) return undefined;
  const prefix = Buffer.allocUnsafe(device.length + 2 + name.length);
  device.copy(prefix);
  prefix.writeUInt16BE(name.length, device.length);
  name.copy(prefix, device.length + 2);
  return prefix;
}

export function readHistory(
  view: ViewEnvironment,
  series: Buffer,
  { startTs, endTs, limit, order }: HistoryQuery,
): TelemetryPoint[] {
  if (startTs >= endTs || limit <= 0) return [];
  const found: TelemetryPoint[] = [];
  for (const rows of bucketsOf(view, series, bucketOf(startTs), bucketOf(endTs), order)) {
    const points = mergeRows(rows, startTs, endTs);
    if (order === 'DESC') points.reverse();
    for (const point of points) if (found.length < limit) found.push(point);
    if (found.length >= limit) break;
  }
  return found;
}

/** The rows of one bucket after the other, each bucket's in the order of their steps. */
function* bucketsOf(
  view: ViewEnvironment,
  series: Buffer,
  first: number,
  last: number,
  order: 'ASC' | 'DESC',
): Generator<string[]> {
  const { start, end } = rowRange(series, first, last);
  const range =
    order === 'ASC'
      ? { start, end }
      : { start: end, exclusiveStart: true, end: start, inclusiveEnd: true, reverse: true };
  let bucket: string | undefined;
  let rows: string[] = [];
  for (const { key, value } of view.history.getRange(range)) {
    const part = bucketPart(key);
    if (part !== bucket && rows.length > 0) {
      yield order === 'ASC' ? rows : rows.reverse();
      rows = [];
    }
    bucket = part;
    rows.push(value);
  }
  if (rows.length > 0) yield order === 'ASC' ? rows : rows.reverse();
}

/** The key of `expiring` for one point of the series. */
export const expiringKey = (series: Buffer, ts: EpochMillis): Buffer => Buffer.concat([series, timestampBytes(ts)]);

/**
 * Deletes as `TelemetryView.delete` says: in one transaction, or, where the history is long, in several of a bounded size, the
 * oldest first and the latest value at last.
 * @param latestKey of the series
 * @param piece rows of one transaction
 */
export function deleteFromSeries(
  view: ViewEnvironment,
  series: Buffer,
  latestKey: Buffer,
  deletion: Deletion,
  piece = PIECE,
): void {
  const { startTs, endTs } = deletion;
  if (startTs >= endTs) return;
  let from: Start | undefined = firstRow(series, startTs);
  let more = true;
  const step = () => {
    if (from) from = removePiece(view, series, startTs, endTs, from, piece).next;
    more = from !== undefined || removeExpiring(view, series, startTs, endTs, piece) >= piece;
    if (!more) deleteLatest(view, series, latestKey, deletion);
  };
  while (more) view.root.transactionSync(step);
}

function deleteLatest(
  view: ViewEnvironment,
  series: Buffer,
  latestKey: Buffer,
  { startTs, endTs, latest }: Deletion,
): void {
  const stored = view.latest.get(latestKey);
  if (stored === undefined || latest === 'keep') return;
  const { ts } = parsePoint(stored);
  if (ts < startTs || ts >= endTs) return;
  const older = { startTs: Number.MIN_SAFE_INTEGER, endTs: startTs, limit: 1, order: 'DESC' } as const;
  const [before] = latest === 'rewrite' ? readHistory(view, series, older) : [];
  if (before) view.latest.put(latestKey, pointLine(before.ts, before.value));
  else view.latest.remove(latestKey);
}

/**
 * Within a transaction: removes the points of a series within [startTs, endTs), the oldest first.
 * @param until by `performance.now()`: what is left then stays
 * @returns how many were removed
 */
export function removePoints(
  view: ViewEnvironment,
  series: Buffer,
  startTs: EpochMillis,
  endTs: EpochMillis,
  until: Millis = Number.POSITIVE_INFINITY,
): number {
  let removed = 0;
  for (let from: Start | undefined = firstRow(series, startTs); from; ) {
    const done = removePiece(view, series, startTs, endTs, from, PIECE);
    removed += done.removed;
    from = performance.now() < until ? done.next : undefined;
  }
  return removed;
}

/** Where the rows begin that are looked at next. */
interface Start {
  readonly start: Buffer;
  readonly exclusiveStart?: boolean;
}

const firstRow = (series: Buffer, startTs: EpochMillis): Start => ({
  start: rowRange(series, bucketOf(startTs), bucketOf(startTs)).start,
});

/** @returns `next` undefined when that was all */
function removePiece(
  view: ViewEnvironment,
  series: Buffer,
  startTs: EpochMillis,
  endTs: EpochMillis,
  from: Start,
  limit: number,
): { readonly removed: number; readonly next: Start | undefined } {
  const { end } = rowRange(series, bucketOf(startTs), bucketOf(endTs));
  let removed = 0;
  // Nothing is changed under the cursor of a range that is still read.
  const rows: { readonly key: Buffer; readonly value: string }[] = [];
  let characters = 0;
  for (const { key, value } of view.history.getRange({ ...from, end, limit })) {
    rows.push({ key, value });
    characters += value.length;
    if (characters >= PIECE_CHARACTERS) break;
  }
  for (const { key, value } of rows) {
    const lines = value.split('\n');
    const kept = lines.filter((line) => {
      const ts = timeOf(line);
      return ts < startTs || ts >= endTs;
    });
    removed += lines.length - kept.length;
    if (kept.length === 0) view.history.remove(key);
    else if (kept.length < lines.length) view.history.put(key, kept.join('\n'));
  }
  const last = rows.at(-1);
  const more = rows.length >= limit || characters >= PIECE_CHARACTERS;
  return { removed, next: last && more ? { start: last.key, exclusiveStart: true } : undefined };
}

/** @returns how many there were, at most `limit` */
function removeExpiring(
  view: ViewEnvironment,
  series: Buffer,
  startTs: EpochMillis,
  endTs: EpochMillis,
  limit: number,
): number {
  const range = { start: expiringKey(series, startTs), end: expiringKey(series, endTs), limit };
  const keys = [...view.expiring.getKeys(range)];
  for (const key of keys) view.expiring.remove(key);
  return keys.length;
}

/** Of a line, without taking it apart. */
export const timeOf = (line: string): EpochMillis => Number(line.slice(0, line.indexOf(' ')));
