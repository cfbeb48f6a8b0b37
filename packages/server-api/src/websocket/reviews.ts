/** Something whose rights have to be looked at again. Never rejects. */
export interface Reviewed {
  review(): Promise<void>;
}

/** At the same time: few enough to leave the store to those who ask it. */
const WORKERS = 16;

/** Looks again at whatever it is given, each once however often it is given meanwhile. */
export class Reviews {
  readonly #due = new Set<Reviewed>();
  #workers = 0;

  get due(): number {
    return this.#due.size;
  }

  add(reviewed: Iterable<Reviewed>): void {
    for (const each of reviewed) this.#due.add(each);
    for (let n = Math.min(WORKERS, this.#due.size) - this.#workers; n > 0; n--) void this.#work();
  }

  clear(): void {
    this.#due.clear();
  }

  async #work(): Promise<void> {
    this.#workers++;
    for (const each of this.#due) {
      this.#due.delete(each);
      await each.review();
    }
    this.#workers--;
  }
}
