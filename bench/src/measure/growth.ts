/** Length of each of the two windows that are compared, in samples of one second. */
const GROWTH_WINDOW_SECONDS = 30;

export interface Growth {
  /** Mean of the first window, bytes. */
  readonly first: number;
  /** Mean of the last window, bytes. */
  readonly last: number;
  /** Samples in each window: GROWTH_WINDOW_SECONDS, or a third of a short run. */
  readonly windowSeconds: number;
  readonly max: number;
  /** last / first - 1, in percent. */
  readonly percent: number;
}

/**
 * Compares the means of the first and last window of samples taken once a second: single samples swing with the
 * garbage collector by more than a leak would add.
 */
export function growthOf(samples: readonly number[]): Growth {
  if (samples.length < 3) {
    throw new RangeError('growth needs at least three samples');
  }
  const windowSeconds = Math.min(GROWTH_WINDOW_SECONDS, Math.floor(samples.length / 3));
  const first = mean(samples.slice(0, windowSeconds));
  const last = mean(samples.slice(-windowSeconds));
  return { first, last, windowSeconds, max: Math.max(...samples), percent: (last / first - 1) * 100 };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
