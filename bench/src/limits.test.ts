import { missedLimits } from './limits';

const FINE = {
  throughputRatio: 0.7,
  idleBytes: 149_999_999,
  growthPercent: 19.99,
  observationBytes: 2_500,
  fanOut: { ratio: 4, retransmissions: 0 },
};

describe('the verdict', () => {
  it('has nothing to say about a gateway just inside every limit', () => {
    expect(missedLimits('coap', FINE)).toEqual([]);
  });

  it.each([
    [{ throughputRatio: 0.6999 }, 'gateway / B is 0.6999, at least 0.7 is wanted'],
    [{ throughputRatio: Number.NaN }, 'gateway / B is NaN, at least 0.7 is wanted'],
    [{ idleBytes: 150_000_000 }, 'idle memory is 150.0 MB, less than 150.0 MB is wanted'],
    [{ growthPercent: 20 }, 'memory grew by 20.0 %, less than 20 % is wanted'],
    [{ observationBytes: 2_501 }, 'an idle observation costs 2501 bytes, at most 2500 is wanted'],
    [{ fanOut: { ratio: 4.01, retransmissions: 0 } }, 'fan-out / A is 4.01, at most 4 is wanted'],
    [
      { fanOut: { ratio: 4, retransmissions: 1 } },
      'notifications of the fan-out were repeated 1 times, none is wanted',
    ],
  ])('names the limit that %j misses', (change, sentence) => {
    expect(missedLimits('coap', { ...FINE, ...change })).toEqual([sentence]);
  });

  it('asks less of HTTP than of CoAP', () => {
    expect(missedLimits('http', { ...FINE, throughputRatio: 0.6 })).toEqual([]);
    expect(missedLimits('http', { ...FINE, throughputRatio: 0.5999 })).toEqual([
      'gateway / B is 0.5999, at least 0.6 is wanted',
    ]);
  });

  it('names every limit that is missed', () => {
    const fanOut = { ratio: 5, retransmissions: 2 };
    const judged = { throughputRatio: 0, idleBytes: 1e9, growthPercent: 100, observationBytes: 1e4, fanOut };
    expect(missedLimits('coap', judged)).toHaveLength(6);
  });

  it('does not judge what was not measured', () => {
    const nothing = { throughputRatio: undefined, idleBytes: undefined, growthPercent: undefined };
    expect(missedLimits('coap', { ...nothing, observationBytes: undefined, fanOut: undefined })).toEqual([]);
  });
});
