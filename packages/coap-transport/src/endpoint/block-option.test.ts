import { blockExponent, blockMore, blockNumber, blockOption, blockSize, withExponentUpTo } from './block-option';

it('an absent option is block 0, the only one, of 1024 bytes', () => {
  expect([blockNumber(-1), blockMore(-1), blockSize(blockExponent(-1))]).toEqual([0, false, 1024]);
});

it.each([
  [0, 0, false, 16],
  [0x0e, 0, true, 1024],
  [0x13, 1, false, 128],
  [0xfffffe, 0xfffff, true, 1024],
])('the value %i is block %i, more: %s, of %i bytes', (value, number, more, size) => {
  expect([blockNumber(value), blockMore(value), blockSize(blockExponent(value))]).toEqual([number, more, size]);
  expect(blockOption(number, more, blockExponent(value))).toBe(value);
});

it('a size is brought down and never up, and number and flag stay', () => {
  expect(withExponentUpTo(2, blockOption(5, true, 6))).toBe(blockOption(5, true, 2));
  expect(withExponentUpTo(2, blockOption(5, true, 1))).toBe(blockOption(5, true, 1));
});
