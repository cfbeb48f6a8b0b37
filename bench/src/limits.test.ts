import { missedLimits } from './limits';

const FINE = { throughputRatio: 0.6, idleBytes: 149_999_999, growthPercent: 19.99 };

describe('the verdict', () => {
  it('has nothing to say about a gateway just inside every limit', () => {
    expect(missedLimits(FINE)).toEqual([]);
  });

  it.each([
    [{ throughputRatio: 0.5999 }, 'gateway / B is 0.5999, at least 0.6 is wanted'],
    [{ throughputRatio: Number.NaN }, 'gateway / B is NaN, at least 0.6 is wanted'],
    [{ idleBytes: 150_000_000 }, 'idle memory is 150.0 MB, less than 150.0 MB is wanted'],
    [{ growthPercent: 20 }, 'memory grew by 20.0 %, less than 20 % is wanted'],
  ])('names the limit that %j misses', (change, sentence) => {
    expect(missedLimits({ ...FINE, ...change })).toEqual([sentence]);
  });

  it('names every limit that is missed', () => {
    expect(missedLimits({ throughputRatio: 0, idleBytes: 1e9, growthPercent: 100 })).toHaveLength(3);
  });

  it('does not judge what was not measured', () => {
    expect(missedLimits({ throughputRatio: undefined, idleBytes: undefined, growthPercent: undefined })).toEqual([]);
  });
});
