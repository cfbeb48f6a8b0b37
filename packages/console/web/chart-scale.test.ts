import { thinned, timeTicks, valueScale } from './chart-scale';

describe('The scale of values', () => {
  it.each([
    [
      [19.2, 23.1],
      [18, 20, 22, 24],
    ],
    [
      [0, 1],
      [0, 0.5, 1],
    ],
    [
      [-7, 12],
      [-10, 0, 10, 20],
    ],
  ])('of %j has round steps that hold all of them', (values, ticks) => {
    expect(valueScale(values, 3).ticks).toEqual(ticks);
  });

  it.each([[[5]], [[0, 0]], [[-3, -3, -3]]])('of %j, which do not differ, has room above and below', (values) => {
    const { low, high } = valueScale(values, 3);
    expect(low).toBeLessThan(Math.min(...values));
    expect(high).toBeGreaterThan(Math.max(...values));
  });
});

it('Times are round ones of the day, no more than wanted, also where the day begins at another time', () => {
  const from = Date.UTC(2026, 0, 1, 10, 0, 30);
  const minutes = timeTicks(from, from + 300_000, 5);
  expect(minutes.map((at) => new Date(at).toISOString().slice(11, 19))).toEqual([
    '10:01:00',
    '10:02:00',
    '10:03:00',
    '10:04:00',
    '10:05:00',
  ]);
  const days = timeTicks(from, from + 7 * 86_400_000, 7, -330);
  expect(new Set(days.map((at) => new Date(at).toISOString().slice(11, 16)))).toEqual(new Set(['18:30']));
});

it('Of more values than there is room for the lowest and the highest of each column are drawn', () => {
  const points = Array.from({ length: 10_000 }, (_, at) => ({ at, value: at === 5000 ? 99 : at % 10 }));
  const drawn = thinned(points, 0, 10_000, 100);
  expect(drawn.length).toBeLessThanOrEqual(200);
  expect(drawn.map(({ value }) => value)).toContain(99);
  expect(drawn.map(({ at }) => at)).toEqual(drawn.map(({ at }) => at).sort((one, other) => one - other));
  expect(thinned(points.slice(0, 50), 0, 10_000, 100)).toEqual(points.slice(0, 50));
});
