const FIRST_CAPACITY = 16;

/**
 * Slots (small whole numbers that stand for devices) in an order. A change of a few out of many costs a search for each of
 * them, and moves what is behind them, which is four bytes a slot.
 */
export class SortedSlots {
  #slots = new Uint32Array(FIRST_CAPACITY);
  #length = 0;

  /** @param compare a total order: no two slots are equal in it */
  constructor(readonly compare: (a: number, b: number) => number) {}

  get size(): number {
    return this.#length;
  }

  /** Ascending. Not to be changed, and not to be kept over a change. */
  get slots(): Uint32Array {
    return this.#slots.subarray(0, this.#length);
  }

  /** To be called while what the slots stand for still compares as it did when they were added. */
  remove(slots: readonly number[]): void {
    const places = slots.map((slot) => this.#place(slot)).sort((a, b) => a - b);
    for (const [n, place] of places.entries()) {
      // What is between this one and the next moves by as many as are gone by now.
      this.#slots.copyWithin(place - n, place + 1, places[n + 1] ?? this.#length);
    }
    this.#length -= places.length;
  }

  /** @param slots none of which is in the order yet */
  add(slots: readonly number[]): void {
    const coming = [...slots].sort(this.compare);
    const places = coming.map((slot) => this.#place(slot));
    this.#grow(this.#length + coming.length);
    let end = this.#length;
    for (let n = coming.length - 1; n >= 0; n--) {
      const place = places[n] ?? 0;
      this.#slots.copyWithin(place + n + 1, place, end);
      this.#slots[place + n] = coming[n] ?? 0;
      end = place;
    }
    this.#length += coming.length;
  }

  #grow(size: number): void {
    if (size <= this.#slots.length) return;
    const larger = new Uint32Array(size + (size >> 2));
    larger.set(this.slots);
    this.#slots = larger;
  }

  /** Where the slot is, or would be. */
  #place(slot: number): number {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compare(this.#slots[middle] ?? 0, slot) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
