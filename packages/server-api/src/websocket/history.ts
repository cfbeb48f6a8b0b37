import { type LiveHistory, TandemError, type TelemetryPoint, type TimeSeries, type Uuid } from '@tandem/core';
import type { HistoryRange } from './commands';

/** Points in one answer. */
const MAX_POINTS = 50_000;

/**
 * The newest points of each key, newest first, as ThingsBoard does.
 * @throws TandemError BAD_REQUEST where they are more than an answer may hold
 */
export async function readHistory(
  timeSeries: TimeSeries,
  deviceId: Uuid,
  keys: readonly string[],
  { startTs, endTs, limit }: HistoryRange,
): Promise<LiveHistory> {
  const points = new Map<string, readonly TelemetryPoint[]>();
  let left = MAX_POINTS;
  for (const key of keys) {
    const query = { startTs, endTs, limit: Math.min(limit, left + 1), order: 'DESC' } as const;
    const ofKey: TelemetryPoint[] = [];
    for await (const piece of timeSeries.historyPieces(deviceId, key, query)) ofKey.push(...piece);
    left -= ofKey.length;
    if (left < 0) throw tooMany();
    if (ofKey.length > 0) points.set(key, ofKey);
  }
  return { points, raw: true };
}

const tooMany = () =>
  new TandemError('BAD_REQUEST', {
    message: `More than ${MAX_POINTS} points: ask for a shorter range, a smaller limit or fewer keys`,
  });
