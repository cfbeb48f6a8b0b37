import { LatencyHistogram } from './latency-histogram';

function histogramOf(values: Iterable<number>): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const value of values) {
    histogram.record(value);
  }
  return histogram;
}

function* oneTo(last: number): Iterable<number> {
  for (let value = 1; value <= last; value += 1) {
    yield value;
  }
}

describe('the latency histogram', () => {
  it('answers 0 when nothing was recorded', () => {
    expect(new LatencyHistogram().percentile(0.99)).toBe(0);
  });

  it('is exact below 64 microseconds', () => {
    const histogram = histogramOf(oneTo(50));
    expect(histogram.percentile(0.5)).toBe(25);
    expect(histogram.percentile(0.98)).toBe(49);
    expect(histogram.percentile(1)).toBe(50);
  });

  it.each([0.01, 0.5, 0.9, 0.99, 1])('finds share %p of 1..200000 within 1/64, never below', (share) => {
    const exact = share * 200_000;
    const found = histogramOf(oneTo(200_000)).percentile(share);
    expect(found).toBeGreaterThanOrEqual(exact);
    expect(found).toBeLessThanOrEqual(exact * (1 + 1 / 64));
  });

  it('keeps every power of two in a bucket that holds it', () => {
    for (let exponent = 0; exponent < 32; exponent += 1) {
      for (const value of [2 ** exponent - 1, 2 ** exponent, 2 ** exponent + 1]) {
        const found = histogramOf([value]).percentile(0.5);
        expect(found).toBeGreaterThanOrEqual(value);
        expect(found).toBeLessThanOrEqual(value * (1 + 1 / 64));
      }
    }
  });

  it('sees one slow answer in a hundred at p99.5 and not at p99', () => {
    const histogram = histogramOf([...Array<number>(99).fill(10), 50_000]);
    expect(histogram.percentile(0.99)).toBe(10);
    expect(histogram.percentile(0.995)).toBeGreaterThanOrEqual(50_000);
  });

  it('puts hours into the last bucket instead of losing them', () => {
    const histogram = histogramOf([1e12]);
    expect(histogram.count).toBe(1);
    expect(histogram.percentile(1)).toBeGreaterThan(4_000_000_000);
  });

  it('forgets everything when cleared', () => {
    const histogram = histogramOf([10, 20]);
    histogram.clear();
    histogram.record(5);
    expect(histogram.count).toBe(1);
    expect(histogram.percentile(1)).toBe(5);
  });
});
