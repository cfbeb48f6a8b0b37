const GRAM_LENGTH = 3;
const CHARACTERS = 0x80;
/** Behind every name, so that its last characters begin a gram as well. */
const END = '\0\0';
const FIRST_CAPACITY = 4;
const NOBODY = new Uint32Array(0);

/**
 * Which names may hold a text: for every three characters in a row, the slots whose names have them. Of each character only
 * seven bits count, so that a gram is a small number; and names that were changed or removed stay listed under their
 * former grams. So what is found has to be looked at.
 */
export class NameGrams {
  readonly #lists = new Map<number, SlotList>();

  add(slot: number, name: string): void {
    const padded = name + END;
    for (let at = 0; at < name.length; at++) {
      const gram = gramAt(padded, at);
      let list = this.#lists.get(gram);
      if (!list) {
        list = new SlotList();
        this.#lists.set(gram, list);
      }
      list.add(slot);
    }
  }

  /**
   * A superset of the slots whose names hold the text, in which a slot can be more than once.
   * @param max of more there is no use
   * @returns undefined where it is better to look at every name: for more than that, and for a single character
   */
  candidates(text: string, max: number): Iterable<number> | undefined {
    if (text.length >= GRAM_LENGTH) {
      const rarest = this.#ofRarest(text);
      return rarest.length > max ? undefined : rarest;
    }
    return text.length === GRAM_LENGTH - 1 ? this.#beginningWith(text) : undefined;
  }

  #ofRarest(text: string): Uint32Array {
    let rarest: SlotList | undefined;
    for (let at = 0; at + GRAM_LENGTH <= text.length; at++) {
      const list = this.#lists.get(gramAt(text, at));
      if (!list) return NOBODY;
      if (!rarest || list.length < rarest.length) rarest = list;
    }
    return rarest?.slots ?? NOBODY;
  }

  *#beginningWith(text: string): Generator<number> {
    const first = gramAt(text + END, 0);
    for (let third = 0; third < CHARACTERS; third++) {
      const list = this.#lists.get(first + third);
      if (list) yield* list.slots;
    }
  }
}

const bits = (text: string, at: number): number => text.charCodeAt(at) & (CHARACTERS - 1);
const gramAt = (text: string, at: number): number =>
  (bits(text, at) * CHARACTERS + bits(text, at + 1)) * CHARACTERS + bits(text, at + 2);

class SlotList {
  #slots = new Uint32Array(FIRST_CAPACITY);
  length = 0;

  /** A name that holds a gram twice adds its slot once. */
  add(slot: number): void {
    if (this.length > 0 && this.#slots[this.length - 1] === slot) return;
    if (this.length === this.#slots.length) {
      const larger = new Uint32Array(this.length + (this.length >> 1) + 1);
      larger.set(this.#slots);
      this.#slots = larger;
    }
    this.#slots[this.length++] = slot;
  }

  get slots(): Uint32Array {
    return this.#slots.subarray(0, this.length);
  }
}
