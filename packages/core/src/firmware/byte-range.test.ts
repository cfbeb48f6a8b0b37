import { byteRange } from './byte-range';

const NINES = '9'.repeat(400);

describe('A range of ten bytes', () => {
  it.each<[string, number, number]>([
    ['bytes=2-5', 2, 5],
    ['bytes=2-', 2, 9],
    ['bytes=-3', 7, 9],
    ['BYTES=2-5', 2, 5],
    ['bytes=,2-5', 2, 5],
    ['bytes=2-5,', 2, 5],
    ['bytes=, ,\t2-5 , ', 2, 5],
    ['bytes=0000000000000002-0000000000000005', 2, 5],
    ['bytes=2-9999999999999999', 2, 9],
    [`bytes=2-${NINES}`, 2, 9],
    ['bytes=-9999999999999999', 0, 9],
    [`bytes=-${NINES}`, 0, 9],
  ])('as %j is the bytes from %i to %i', (header, start, end) => {
    expect(byteRange(header, 10)).toEqual({ start, end });
  });

  it.each(['bytes=10-', 'bytes=9999999999999999-', `bytes=${NINES}-`, `bytes=${NINES}-${NINES}9`, 'bytes=-0'])(
    'as %j is beyond the end',
    (header) => {
      expect(byteRange(header, 10)).toBe('unsatisfiable');
    },
  );

  it.each([
    undefined,
    '',
    'bytes',
    'bytes=',
    'bytes=,',
    'bytes=-',
    'bytes=x-',
    'bytes=5-4',
    'bytes=9007199254740993-9007199254740992',
    `bytes=${NINES}9-${NINES}`,
    'bytes=0-1,5-6',
    'bytes=0-1,x',
    'lines=1-2',
  ])('as %j is the whole', (header) => {
    expect(byteRange(header, 10)).toBeUndefined();
  });
});
