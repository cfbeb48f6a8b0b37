import fc from 'fast-check';
import { longValue } from '../payload/value';
import type { Deletion, HistoryQuery, TelemetryPoint, TelemetryView } from '../state/telemetry-view';
import { FakeClock } from '../testing/fake-clock';
import { fixedIntervals } from './intervals';
import { TimeSeries } from './time-series';

const DEVICE = 'a device';

/** One series. */
class OneSeries implements TelemetryView {
  readonly asked: HistoryQuery[] = [];
  readonly deleted: [key: string, deletion: Deletion][] = [];

  constructor(private readonly points: readonly TelemetryPoint[]) {}

  keys = async () => ['key'];
  latest = async () => new Map();

  async history(_deviceId: string, _key: string, query: HistoryQuery): Promise<TelemetryPoint[]> {
    this.asked.push(query);
    return this.points.filter(({ ts }) => ts >= query.startTs && ts < query.endTs).slice(0, query.limit);
  }

  async delete(_deviceId: string, key: string, deletion: Deletion): Promise<void> {
    this.deleted.push([key, deletion]);
  }
}

const clock = new FakeClock();
const over = (view: TelemetryView, caughtUp = async () => {}) => new TimeSeries(view, { caughtUp }, clock, 700);
const live = new AbortController().signal;

async function all(pieces: AsyncIterable<readonly TelemetryPoint[]>): Promise<TelemetryPoint[]> {
  const found: TelemetryPoint[] = [];
  for await (const points of pieces) found.push(...points);
  return found;
}

const seriesOf = (times: readonly number[]) => times.map((ts, n) => ({ ts, value: longValue(n) }));

describe('A series that is aggregated', () => {
  it('has for each interval what a look at all of its points finds in it', async () => {
    const times = fc.uniqueArray(fc.integer({ min: -50, max: 150 }), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(
        times,
        fc.integer({ min: -60, max: 60 }),
        fc.nat(120),
        fc.integer({ min: 1, max: 40 }),
        async (found, start, length, step) => {
          const points = seriesOf([...found].sort((a, b) => a - b));
          const end = start + length;
          const expected: TelemetryPoint[] = [];
          for (let from = start; from < end; from += step) {
            const to = Math.min(from + step, end);
            const values = points.filter(({ ts }) => ts >= from && ts < to).map(({ value }) => Number(value));
            if (values.length === 0) continue;
            expected.push({ ts: from + Math.floor((to - from) / 2), value: longValue(values.reduce((a, b) => a + b)) });
          }
          const query = { aggregation: 'SUM', intervals: fixedIntervals({ start, end }, step) } as const;
          expect(await all(over(new OneSeries(points)).aggregates(DEVICE, 'key', query, live))).toEqual(expected);
        },
      ),
    );
  });

  it('is read piece by piece, each once, whatever its length', async () => {
    const view = new OneSeries(seriesOf(Array.from({ length: 12_000 }, (_, n) => n)));
    const query = { aggregation: 'COUNT', intervals: fixedIntervals({ start: 0, end: 20_000 }, 7_000) } as const;
    expect(await all(over(view).aggregates(DEVICE, 'key', query, live))).toEqual([
      { ts: 3_500, value: '7000' },
      { ts: 10_500, value: '5000' },
    ]);
    expect(view.asked.map(({ startTs, limit }) => [startTs, limit])).toEqual([
      [0, 5_000],
      [5_000, 5_000],
      [10_000, 5_000],
    ]);
  });

  it('is read no further when nobody waits for it any more', async () => {
    const view = new OneSeries(seriesOf(Array.from({ length: 20_000 }, (_, n) => n)));
    const query = { aggregation: 'COUNT', intervals: fixedIntervals({ start: 0, end: 20_000 }, 20_000) } as const;
    const gone = new AbortController();
    gone.abort(new Error('gone'));
    await expect(all(over(view).aggregates(DEVICE, 'key', query, gone.signal))).rejects.toThrow('gone');
    expect(view.asked).toHaveLength(1);
  });
});

describe('Deleting time series', () => {
  const deletion = { startTs: 0, endTs: 9, latest: 'remove' } as const;

  it('begins when the view has what was in the log, and takes key after key', async () => {
    const view = new OneSeries([]);
    let catchUp = () => {};
    const caughtUp = new Promise<void>((resolve) => {
      catchUp = resolve;
    });
    const deleting = over(view, () => caughtUp).delete(DEVICE, ['a', 'b'], deletion);
    expect(view.deleted).toEqual([]);
    catchUp();
    await deleting;
    expect(view.deleted).toEqual([
      ['a', deletion],
      ['b', deletion],
    ]);
    expect(clock.timers).toBe(0);
  });

  it('is given up, and nothing deleted, when the view does not get there in time', async () => {
    const view = new OneSeries([]);
    const deleting = over(view, () => new Promise(() => {})).delete(DEVICE, ['a'], deletion);
    clock.advance(25_000);
    await expect(deleting).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryAfter: 5_000 });
    expect(view.deleted).toEqual([]);
  });
});

describe('What the server API has saved', () => {
  it('is waited for until it can be read', async () => {
    let catchUp = () => {};
    const caughtUp = new Promise<void>((resolve) => {
      catchUp = resolve;
    });
    const shown = jest.fn();
    const waiting = over(new OneSeries([]), () => caughtUp)
      .shown(DEVICE, live)
      .then(shown);
    await new Promise((resolve) => setImmediate(resolve));
    expect(shown).not.toHaveBeenCalled();
    catchUp();
    await waiting;
    expect(clock.timers).toBe(0);
  });

  it.each<[string, () => Promise<void>, (caller: AbortController) => void]>([
    ['when the view takes its time', () => new Promise(() => {}), () => clock.advance(5_000)],
    ['when the caller goes', () => new Promise(() => {}), (caller) => caller.abort()],
    ['when the store is closed', () => Promise.reject(new Error('closed')), () => {}],
  ])('is waited for no longer %s, and is accepted all the same', async (_, caughtUp, then) => {
    const caller = new AbortController();
    const waiting = over(new OneSeries([]), caughtUp).shown(DEVICE, caller.signal);
    then(caller);
    await waiting;
    expect(clock.timers).toBe(0);
    await over(new OneSeries([]), caughtUp).shown(DEVICE, AbortSignal.abort());
  });
});
