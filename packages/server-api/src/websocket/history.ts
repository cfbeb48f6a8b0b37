import {
  fixedIntervals,
  type LiveHistory,
  TandemError,
  type TelemetryPoint,
  type TimeSeries,
  type Uuid,
} from '@tandem/core';
import type { HistoryRange } from './commands';

/** Points in one answer. */
const MAX_POINTS = 50_000;

/**
 * The newest points of each key, newest first, as ThingsBoard does; or one for each interval, ascending.
 * @param signal ends it early
 * @throws TandemError BAD_REQUEST where they are more than an answer may hold, or intervals more than are allowed
 */
export async function readHistory(
  timeSeries: TimeSeries,
  deviceId: Uuid,
  keys: readonly string[],
  range: HistoryRange,
  signal: AbortSignal,
): Promise<LiveHistory> {
  const { startTs, endTs, limit, interval, aggregation } = range;
  // An interval of no milliseconds switches aggregation off, whatever `agg` says (server contract 5.1).
  const intervals = interval > 0 ? fixedIntervals({ start: startTs, end: endTs }, interval) : undefined;
  const query = intervals && aggregation ? { aggregation, intervals } : undefined;
  if (query) timeSeries.checkIntervals(query.intervals);
  const points = new Map<string, readonly TelemetryPoint[]>();
  let left = MAX_POINTS;
  for (const key of keys) {
    const pieces = query
      ? timeSeries.aggregates(deviceId, key, query, signal)
      : timeSeries.historyPieces(deviceId, key, { startTs, endTs, limit: Math.min(limit, left + 1), order: 'DESC' });
    const ofKey: TelemetryPoint[] = [];
    for await (const piece of pieces) {
      signal.throwIfAborted();
      for (const point of piece) ofKey.push(point);
      left -= piece.length;
      if (left < 0) throw tooMany();
    }
    if (ofKey.length > 0) points.set(key, ofKey);
  }
  return { points, raw: query === undefined };
}

const tooMany = () =>
  new TandemError('BAD_REQUEST', {
    message: `More than ${MAX_POINTS} points: ask for a shorter range, a smaller limit or fewer keys`,
  });
