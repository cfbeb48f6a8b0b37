/** A sum that only rises. */
export class Counter {
  #value = 0;

  add(n = 1): void {
    this.#value += n;
  }

  get value(): number {
    return this.#value;
  }
}

/** How many values fell below each of a few bounds, their number and their sum. */
export class Histogram {
  readonly #bounds: Float64Array;
  /** Of each bound, those that no smaller bound has; the last is for what is above all. */
  readonly #counts: Float64Array;
  #sum = 0;

  /** @param bounds rising */
  constructor(bounds: readonly number[]) {
    this.#bounds = Float64Array.from(bounds);
    this.#counts = new Float64Array(bounds.length + 1);
  }

  /** @param value in the unit of the metric's name */
  observe(value: number): void {
    const bounds = this.#bounds;
    let at = 0;
    // Most values are small, so this is shorter than halving.
    while (at < bounds.length && value > (bounds[at] ?? 0)) at++;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#sum += value;
  }

  get sum(): number {
    return this.#sum;
  }

  get count(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /** As Prometheus counts: each bound with all that is not above it; the last is infinite. */
  cumulative(): readonly { readonly bound: number; readonly count: number }[] {
    let count = 0;
    return Array.from(this.#counts, (own, at) => {
      count += own;
      return { bound: this.#bounds[at] ?? Number.POSITIVE_INFINITY, count };
    });
  }
}
