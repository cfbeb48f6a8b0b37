import { type EpochMillis, pointLine, type Uuid } from '@tandem/core';
import type { Keys } from '../keys';
import { expiryOf, messageOf, recordsOf, type StreamEntry } from './message-codec';
import { expiringKey, historyKey, latestKey, latestMetaKey, unlistedKey } from './telemetry-view';

/** What one call of telemetry-apply.lua holds at the most: Redis does nothing else meanwhile. */
const MAX_POINTS = 2_000;

/** A call of telemetry-apply.lua. */
export interface ViewCall {
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
  /** What it puts into the view, as far as it can be read. */
  readonly entries: readonly StreamEntry[];
  /** Those of them of which something is left out, by the key for which it is. */
  readonly leftOut: ReadonlyMap<StreamEntry, string>;
  /** Entries that were left out because they cannot be read. */
  readonly damaged: number;
  /** Those that the call has no room for. */
  readonly rest: readonly StreamEntry[];
}

export interface CallOptions {
  readonly historyMax: number;
  /** Telemetry keys that a device may have. */
  readonly keysMax: number;
  /** Entries that were left out before, the newest first. Else they are in the order of the stream. */
  readonly again: boolean;
  /** Of the stream: see `Portion`. */
  readonly life: string;
  readonly publish: 'PUBLISH' | 'SPUBLISH';
  /** Somebody watches the device: the messages themselves go along. */
  readonly watched: boolean;
  /** Histories that cannot be written: other programs have their keys. */
  readonly foreign: ReadonlySet<string>;
}

interface SeriesPoint {
  readonly line: string;
  /** When it leaves the history; undefined where it stays. */
  readonly expiry: EpochMillis | undefined;
}

/** Points by time. */
type Series = Map<EpochMillis, SeriesPoint>;

/**
 * The next call for entries of one device. Of two points with the same time the one that was accepted later counts.
 * @param entries at least one
 */
export function nextCall(
  keys: Keys,
  deviceId: Uuid,
  entries: readonly StreamEntry[],
  { historyMax, keysMax, again, life, publish, watched, foreign }: CallOptions,
): ViewCall {
  const device = new Map<string, Series>();
  const leftOut = new Map<StreamEntry, string>();
  const messages: string[] = [];
  let points = 0;
  let taken = 0;
  let damaged = 0;
  for (const entry of entries) {
    if (points >= MAX_POINTS) break;
    taken++;
    const read = readEntry(entry);
    if (!read) damaged++;
    else if (watched) messages.push(messageOf(entry));
    if (again) read?.reverse();
    const expiry = expiryOf(entry);
    for (const [key, ts, line] of read ?? []) {
      points++;
      if (foreign.size > 0) {
        const history = historyKey(keys, deviceId, key);
        if (foreign.has(history)) {
          leftOut.set(entry, history);
          continue;
        }
      }
      let series = device.get(key);
      if (!series) {
        series = new Map();
        device.set(key, series);
      }
      if (!again || !series.has(ts)) series.set(ts, { line, expiry });
    }
  }
  const own = entries.slice(0, taken);
  const [first, last] = [own[0]?.[0] ?? '', own.at(-1)?.[0] ?? ''];
  const expiries: (string | number)[] = [];
  const used = [
    keys.device(deviceId, 'log'),
    latestMetaKey(keys, deviceId),
    latestKey(keys, deviceId),
    unlistedKey(keys, deviceId),
    expiringKey(keys, deviceId),
  ];
  const series: (string | number)[] = [];
  for (const [key, byTime] of device) {
    used.push(historyKey(keys, deviceId, key));
    const sorted = [...byTime].sort(([a], [b]) => a - b).slice(-historyMax);
    series.push(key, sorted.length);
    for (const [ts, { line, expiry }] of sorted) {
      series.push(ts, line);
      if (expiry !== undefined) expiries.push(expiry, `${ts} ${key}`);
    }
  }
  const how = [publish, keys.feedChannel(deviceId), watched ? 1 : 0, keysMax, expiries.length / 2];
  const args: (string | number)[] = [first, last, historyMax, again ? 'again' : 'log', life, ...how];
  // One by one: they may be too many for a call with each as an argument.
  for (const part of [series, expiries, messages]) for (const arg of part) args.push(arg);
  return { keys: used, args, entries: own, leftOut, damaged, rest: entries.slice(taken) };
}

type Point = readonly [key: string, ts: EpochMillis, line: string];

/** Undefined for an entry that is not of our form. */
function readEntry(entry: StreamEntry): Point[] | undefined {
  try {
    const points: Point[] = [];
    for (const { ts, values } of recordsOf(entry)) {
      if (!Number.isSafeInteger(ts)) return undefined;
      for (const { key, value } of values) points.push([key, ts, pointLine(ts, value)]);
    }
    return points;
  } catch {
    return undefined;
  }
}
