import { shares } from './observer-fleet';

describe('the devices of a fleet', () => {
  it('stay together while one process can hold them', () => {
    expect(shares([1, 2, 3], 3)).toEqual([[1, 2, 3]]);
  });

  it('are spread evenly over as few processes as it takes, in order', () => {
    expect(shares([1, 2, 3, 4, 5, 6, 7], 3)).toEqual([[1, 2, 3], [4, 5, 6], [7]]);
    expect(
      shares(
        Array.from({ length: 50_000 }, (_, i) => i),
        12_500,
      ).map(({ length }) => length),
    ).toEqual([12_500, 12_500, 12_500, 12_500]);
    expect(shares([1, 2, 3, 4], 3)).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it('are in no process when there are none', () => {
    expect(shares([], 3)).toEqual([]);
  });
});
