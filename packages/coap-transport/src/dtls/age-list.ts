/** A place in an `AgeList`. */
export interface AgeEntry<T> {
  readonly value: T;
  older: AgeEntry<T> | undefined;
  newer: AgeEntry<T> | undefined;
}

/** Things from the oldest to the newest. To add, renew or remove one costs the same however many there are. */
export class AgeList<T> {
  #oldest: AgeEntry<T> | undefined;
  #newest: AgeEntry<T> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get oldest(): T | undefined {
    return this.#oldest?.value;
  }

  add(value: T): AgeEntry<T> {
    const entry: AgeEntry<T> = { value, older: undefined, newer: undefined };
    this.#append(entry);
    this.#size++;
    return entry;
  }

  /** @param entry is in this list; it is the newest from now on */
  renew(entry: AgeEntry<T>): void {
    if (this.#newest === entry) return;
    this.#unlink(entry);
    this.#append(entry);
  }

  /** @param entry is in this list */
  remove(entry: AgeEntry<T>): void {
    this.#unlink(entry);
    this.#size--;
  }

  /** Oldest first. Nothing may be added or removed meanwhile. */
  *[Symbol.iterator](): Iterator<T> {
    for (let entry = this.#oldest; entry !== undefined; entry = entry.newer) yield entry.value;
  }

  #append(entry: AgeEntry<T>): void {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
  }

  #unlink({ older, newer }: AgeEntry<T>): void {
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
  }
}
