import type { EpochMillis, Uuid } from '@tandem/core';
import type { Keys } from '../keys';
import { recordsOf, type StreamEntry } from './message-codec';
import { historyKey, latestKey, latestMetaKey } from './telemetry-view';

/** What one call of telemetry-apply.lua holds at the most: Redis does nothing else meanwhile. */
const MAX_POINTS = 2_000;

/** A call of telemetry-apply.lua. */
export interface ViewCall {
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
  /** Id of the last entry it puts into the view. */
  readonly lastId: string;
  /** Entries that were left out because they cannot be read. */
  readonly damaged: number;
  /** Those that the call has no room for. */
  readonly rest: readonly StreamEntry[];
}

/** Lines by time; of two with the same time the later one counts. */
type Series = Map<EpochMillis, string>;

/**
 * The next call for entries of one device.
 * @param entries at least one, in the order of the stream
 */
export function nextCall(keys: Keys, deviceId: Uuid, entries: readonly StreamEntry[], historyMax: number): ViewCall {
  const device = new Map<string, Series>();
  let points = 0;
  let taken = 0;
  let damaged = 0;
  for (const entry of entries) {
    if (points >= MAX_POINTS) break;
    taken++;
    const read = readEntry(entry);
    if (!read) damaged++;
    for (const [key, ts, line] of read ?? []) {
      points++;
      let series = device.get(key);
      if (!series) {
        series = new Map();
        device.set(key, series);
      }
      series.set(ts, line);
    }
  }
  const lastId = entries[taken - 1]?.[0] ?? '';
  const args: (string | number)[] = [entries[0]?.[0] ?? '', lastId, historyMax];
  const used = [keys.device(deviceId, 'log'), latestMetaKey(keys, deviceId), latestKey(keys, deviceId)];
  for (const [key, series] of device) {
    used.push(historyKey(keys, deviceId, key));
    const sorted = [...series].sort(([a], [b]) => a - b).slice(-historyMax);
    args.push(key, sorted.length);
    for (const [ts, line] of sorted) args.push(ts, line);
  }
  return { keys: used, args, lastId, damaged, rest: entries.slice(taken) };
}

type Point = readonly [key: string, ts: EpochMillis, line: string];

/** Undefined for an entry that is not of our form. */
function readEntry(entry: StreamEntry): Point[] | undefined {
  try {
    const points: Point[] = [];
    for (const { ts, values } of recordsOf(entry)) {
      if (!Number.isSafeInteger(ts)) return undefined;
      for (const { key, value } of values) points.push([key, ts, `${ts} ${value}`]);
    }
    return points;
  } catch {
    return undefined;
  }
}
