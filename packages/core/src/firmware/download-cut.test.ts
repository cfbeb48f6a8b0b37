import { downloadCut, partOf } from './download-cut';

describe('A part of a package', () => {
  it.each<[string | undefined, string | undefined, number, number]>([
    [undefined, undefined, 0, 2_500],
    ['', '', 0, 2_500],
    ['0', '7', 0, 2_500],
    ['-3', '-7', 0, 2_500],
    ['1000', undefined, 0, 1_000],
    ['+1000', '2', 2_000, 500],
    ['1000', '3', 2_500, 0],
    ['2147483647', '2147483647', 2_500, 0],
  ])('of size %p and chunk %p begins at %p and has %p bytes', (size, chunk, start, length) => {
    expect(partOf(downloadCut(size, chunk), 2_500)).toEqual({ start, length });
  });

  it.each([
    ['x', '0'],
    ['1', ' 1'],
    ['1e3', '0'],
    ['2147483648', '0'],
    ['1', '-1'],
    ['0', '-2147483649'],
  ])('of size %p and chunk %p there is not', (size, chunk) => {
    expect(() => downloadCut(size, chunk)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
  });
});
