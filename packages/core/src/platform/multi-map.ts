/**
 * Any number of values by key, of which most keys have one: that one is kept as it is, without a set of its own. A value is
 * no `Set` itself, and is there once at most under a key.
 */
export class MultiMap<K, V extends object> {
  readonly #byKey = new Map<K, V | Set<V>>();
  #count = 0;

  /** Keys that have a value. */
  get size(): number {
    return this.#byKey.size;
  }

  /** Values under all keys. */
  get count(): number {
    return this.#count;
  }

  keys(): Iterable<K> {
    return this.#byKey.keys();
  }

  /** The values of now: what is added or deleted later is not in it. */
  of(key: K): readonly V[] {
    const found = this.#byKey.get(key);
    if (found === undefined) return NONE;
    return found instanceof Set ? [...found] : [found];
  }

  has(key: K, value: V): boolean {
    const found = this.#byKey.get(key);
    return found instanceof Set ? found.has(value) : found === value;
  }

  add(key: K, value: V): void {
    const found = this.#byKey.get(key);
    if (this.has(key, value)) return;
    this.#count++;
    if (found === undefined) this.#byKey.set(key, value);
    else if (found instanceof Set) found.add(value);
    else this.#byKey.set(key, new Set([found, value]));
  }

  /** @returns whether the key has no value any more, and had this one */
  delete(key: K, value: V): boolean {
    const found = this.#byKey.get(key);
    if (!this.has(key, value)) return false;
    this.#count--;
    if (!(found instanceof Set)) return this.#byKey.delete(key);
    found.delete(value);
    const [last] = found;
    if (found.size === 1 && last !== undefined) this.#byKey.set(key, last);
    return false;
  }
}

const NONE: readonly never[] = [];
