/**
 * Slots (small whole numbers that stand for devices) in an order. A change of a few out of many costs a search for each of
 * them and one copy of the array, which is four bytes a slot.
 */
export class SortedSlots {
  #slots = new Uint32Array(0);

  /** @param compare a total order: no two slots are equal in it */
  constructor(readonly compare: (a: number, b: number) => number) {}

  get size(): number {
    return this.#slots.length;
  }

  /** Ascending. Not to be changed, and not to be kept over a change. */
  get slots(): Uint32Array {
    return this.#slots;
  }

  /** To be called while what the slots stand for still compares as it did when they were added. */
  remove(slots: readonly number[]): void {
    const places = slots.map((slot) => this.#place(slot)).sort((a, b) => a - b);
    const kept = new Uint32Array(this.#slots.length - places.length);
    let from = 0;
    for (const [n, place] of places.entries()) {
      kept.set(this.#slots.subarray(from, place), from - n);
      from = place + 1;
    }
    kept.set(this.#slots.subarray(from), from - places.length);
    this.#slots = kept;
  }

  /** @param slots none of which is in the order yet */
  add(slots: readonly number[]): void {
    const coming = [...slots].sort(this.compare);
    const all = new Uint32Array(this.#slots.length + coming.length);
    let from = 0;
    for (const [n, slot] of coming.entries()) {
      const place = this.#place(slot);
      all.set(this.#slots.subarray(from, place), from + n);
      all[place + n] = slot;
      from = place;
    }
    all.set(this.#slots.subarray(from), from + coming.length);
    this.#slots = all;
  }

  /** Where the slot is, or would be. */
  #place(slot: number): number {
    let low = 0;
    let high = this.#slots.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compare(this.#slots[middle] ?? 0, slot) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
