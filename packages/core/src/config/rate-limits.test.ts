import { rateLimits } from './rate-limits';

const parse = (text: string) => rateLimits('doc').parse(text);

describe('A rate limit', () => {
  it('is none where it is not set', () => {
    expect(parse('')).toEqual([]);
  });

  it('is a count within seconds, or several of them, each of which counts once', () => {
    expect(parse('10:1')).toEqual([{ count: 10, seconds: 1 }]);
    expect(parse('10:1, 100:60,10:1')).toEqual([
      { count: 10, seconds: 1 },
      { count: 100, seconds: 60 },
    ]);
  });

  it.each(['10', '10:', ':10', '0:1', '1:0', '-1:1', '1.5:1', '1:1:1', '10:1,', '10:1;20:2', 'a:b', '1:9999999999'])(
    'is not understood as %s',
    (text) => {
      expect(() => parse(text)).toThrow('must look like 100:1,2000:60');
    },
  );
});
