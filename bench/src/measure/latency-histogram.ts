/** Buckets per doubling: a percentile is read with an error of at most 1/64. */
const SUB_BUCKETS = 64;
const DOUBLINGS = 27;

/**
 * Counts of latencies in buckets whose width grows with the value, so that millions of samples take constant memory
 * and one increment each. Values are microseconds, up to about 70 minutes; what is above lands in the last bucket.
 */
export class LatencyHistogram {
  private readonly counts = new Float64Array(SUB_BUCKETS * (DOUBLINGS + 1));
  private total = 0;

  get count(): number {
    return this.total;
  }

  record(micros: number): void {
    const index = bucketOf(Math.max(0, Math.floor(micros)));
    this.counts[index] = (this.counts[index] ?? 0) + 1;
    this.total += 1;
  }

  clear(): void {
    this.counts.fill(0);
    this.total = 0;
  }

  /** Upper edge in microseconds of the bucket that holds the given share (0..1) of the samples; 0 without samples. */
  percentile(share: number): number {
    if (this.total === 0) {
      return 0;
    }
    const rank = Math.max(1, Math.ceil(share * this.total));
    let seen = 0;
    for (let index = 0; index < this.counts.length; index += 1) {
      seen += this.counts[index] ?? 0;
      if (seen >= rank) {
        return upperEdgeOf(index);
      }
    }
    return upperEdgeOf(this.counts.length - 1);
  }
}

function bucketOf(micros: number): number {
  if (micros < SUB_BUCKETS) {
    return micros;
  }
  const doubling = Math.floor(Math.log2(micros / SUB_BUCKETS));
  if (doubling >= DOUBLINGS) {
    return SUB_BUCKETS * (DOUBLINGS + 1) - 1;
  }
  const width = 2 ** doubling;
  return SUB_BUCKETS * (doubling + 1) + Math.floor(micros / width) - SUB_BUCKETS;
}

function upperEdgeOf(index: number): number {
  if (index < SUB_BUCKETS) {
    return index;
  }
  const doubling = Math.floor(index / SUB_BUCKETS) - 1;
  const width = 2 ** doubling;
  return (SUB_BUCKETS + (index % SUB_BUCKETS) + 1) * width - 1;
}
