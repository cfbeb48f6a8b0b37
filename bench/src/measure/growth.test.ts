import { growthOf } from './growth';

const sawtooth = (from: number, to: number, seconds: number): number[] =>
  Array.from({ length: seconds }, (_, i) => from + ((to - from) * i) / (seconds - 1) + (i % 10) * 3);

describe('the growth of memory', () => {
  it('is nothing for a collector that swings around one level', () => {
    expect(growthOf(sawtooth(100, 100, 180)).percent).toBeCloseTo(0, 6);
  });

  it('is the rise between the means of the first and the last 30 seconds', () => {
    const samples = [...Array<number>(30).fill(100), ...Array<number>(120).fill(500), ...Array<number>(30).fill(125)];
    expect(growthOf(samples)).toEqual({ first: 100, last: 125, windowSeconds: 30, max: 500, percent: 25 });
  });

  it('sees a slow leak under the swing', () => {
    expect(growthOf(sawtooth(100, 150, 180)).percent).toBeGreaterThan(30);
  });

  it('uses thirds of a run that is too short for two windows', () => {
    expect(growthOf([10, 10, 10, 20, 20, 20])).toMatchObject({ windowSeconds: 2, first: 10, last: 20, percent: 100 });
  });

  it('cannot be told from two samples', () => {
    expect(() => growthOf([1, 2])).toThrow(RangeError);
  });
});
