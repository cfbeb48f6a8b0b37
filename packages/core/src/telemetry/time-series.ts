import type { Uuid } from '../devices/model';
import { TandemError } from '../errors';
import type { Clock, Millis } from '../platform/clock';
import type { Deletion, HistoryQuery, Materialiser, TelemetryPoint, TelemetryView } from '../state/telemetry-view';
import { type Accumulator, type Aggregation, accumulatorOf } from './aggregation';
import { type Interval, type Intervals, middleOf } from './intervals';

/** Points read in one go by {@link TimeSeries.historyPieces}. */
const PIECE = 5_000;
/** How long a deletion waits for what was accepted before it to get into the view. */
const PATIENCE: Millis = 25_000;
const RETRY_AFTER: Millis = 5_000;
/** How long who has saved something waits until it can be read: it is accepted, so the wait must not look like a failure. */
const SHOWN_WITHIN: Millis = 5_000;

export interface AggregationQuery {
  readonly aggregation: Aggregation;
  readonly intervals: Intervals;
}

/** Reading and deleting what devices have sent, for the server API. */
export class TimeSeries {
  constructor(
    private readonly view: TelemetryView,
    private readonly materialiser: Pick<Materialiser, 'caughtUp'>,
    private readonly clock: Clock,
    /** Intervals that one query may ask for. */
    private readonly maxIntervals: number,
  ) {}

  keys(deviceId: Uuid): Promise<string[]> {
    return this.view.keys(deviceId);
  }

  latest(deviceId: Uuid, keys?: readonly string[]): Promise<Map<string, TelemetryPoint>> {
    return this.view.latest(deviceId, keys);
  }

  /** Keys in the order asked for; those without a point in the range are left out (server contract 5.1). */
  async history(deviceId: Uuid, keys: readonly string[], query: HistoryQuery): Promise<Map<string, TelemetryPoint[]>> {
    const result = new Map<string, TelemetryPoint[]>();
    for (const key of keys) {
      const points = await this.view.history(deviceId, key, query);
      if (points.length > 0) result.set(key, points);
    }
    return result;
  }

  /** One key's history piece by piece, in the order asked for: a range can be longer than what fits the memory. */
  async *historyPieces(deviceId: Uuid, key: string, query: HistoryQuery): AsyncGenerator<readonly TelemetryPoint[]> {
    let { startTs, endTs, limit } = query;
    while (limit > 0 && startTs < endTs) {
      const asked = Math.min(limit, PIECE);
      const points = await this.view.history(deviceId, key, { startTs, endTs, limit: asked, order: query.order });
      const last = points.at(-1);
      if (!last) return;
      yield points;
      if (points.length < asked) return;
      limit -= points.length;
      if (query.order === 'ASC') startTs = last.ts + 1;
      else endTs = last.ts;
    }
  }

  /** @throws TandemError BAD_REQUEST for a range that runs backwards, or of too many intervals (server contract 5.1) */
  checkIntervals({ start, end, count }: Intervals): void {
    if (end < start) throw new TandemError('BAD_REQUEST', { message: "'endTs' must not be before 'startTs'" });
    if (count <= this.maxIntervals) return;
    throw new TandemError('BAD_REQUEST', {
      message: `The range has ${count} intervals, and at most ${this.maxIntervals} are allowed: ask for longer intervals or a shorter range`,
    });
  }

  /**
   * One point for each interval in which the key has a value that counts, at the middle of the interval, ascending; piece by
   * piece. Of the history no more than a piece is in memory.
   * @param signal ends it early: a long range may give few points, and late
   */
  async *aggregates(
    deviceId: Uuid,
    key: string,
    { aggregation, intervals }: AggregationQuery,
    signal: AbortSignal,
  ): AsyncGenerator<readonly TelemetryPoint[]> {
    const range = {
      startTs: intervals.start,
      endTs: intervals.end,
      limit: Number.MAX_SAFE_INTEGER,
      order: 'ASC',
    } as const;
    let open: { readonly interval: Interval; readonly values: Accumulator } | undefined;
    for await (const points of this.historyPieces(deviceId, key, range)) {
      signal.throwIfAborted();
      const done: TelemetryPoint[] = [];
      for (const { ts, value } of points) {
        if (!open || ts >= open.interval.end) {
          done.push(...pointOf(open));
          open = { interval: intervals.of(ts), values: accumulatorOf(aggregation) };
        }
        open.values.add(value);
      }
      if (done.length > 0) yield done;
    }
    const last = pointOf(open);
    if (last.length > 0) yield last;
  }

  /**
   * Deletes what was accepted before the call, key by key.
   * @throws TandemError STORE_UNAVAILABLE also when the view does not catch up with the log in time; then nothing was
   * deleted
   */
  async delete(deviceId: Uuid, keys: readonly string[], deletion: Deletion): Promise<void> {
    await this.#caughtUp(deviceId);
    for (const key of keys) await this.view.delete(deviceId, key, deletion);
  }

  /**
   * Resolves when what was accepted of the device can be read, but after a while in any case: whoever saves by the server
   * API reads at once (server contract 5.3), and what was accepted will be there. Never rejects.
   * @param signal ends the wait
   */
  async shown(deviceId: Uuid, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    let leave = () => {};
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    const timer = this.clock.setTimer(SHOWN_WITHIN, leave);
    signal.addEventListener('abort', leave, { once: true });
    try {
      await Promise.race([this.materialiser.caughtUp(deviceId).catch(() => {}), left]);
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', leave);
    }
  }

  async #caughtUp(deviceId: Uuid): Promise<void> {
    let tooLate = () => {};
    const late = new Promise<never>((_, reject) => {
      tooLate = () => {
        const message = 'What was sent before the deletion is not in the view yet: nothing was deleted';
        reject(new TandemError('STORE_UNAVAILABLE', { message, retryAfter: RETRY_AFTER }));
      };
    });
    const timer = this.clock.setTimer(PATIENCE, tooLate);
    try {
      await Promise.race([this.materialiser.caughtUp(deviceId), late]);
    } finally {
      timer.cancel();
    }
  }
}

function pointOf(open: { readonly interval: Interval; readonly values: Accumulator } | undefined): TelemetryPoint[] {
  const value = open?.values.result();
  return open && value !== undefined ? [{ ts: middleOf(open.interval), value }] : [];
}
