import { median } from './median';

describe('the median', () => {
  it('is the middle of an odd count, whatever the order', () => {
    expect(median([300, 1, 20])).toBe(20);
  });

  it('is the mean of the two in the middle of an even count', () => {
    expect(median([4, 1, 3, 100])).toBe(3.5);
  });

  it('does not exist for nothing', () => {
    expect(() => median([])).toThrow(RangeError);
  });
});
