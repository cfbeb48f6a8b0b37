/**
 * Those of one address who want one of its tries while all are under way: the devices behind one NAT, that all ask when the
 * power comes back. They wait for one another instead of being sent away.
 */
export class TryQueue {
  /** Who has a try, or will know in a moment. */
  #busy = 0;
  #left = 0;
  #present = 0;
  readonly #waiting: (() => void)[] = [];

  /** @param empty called when the last one has gone */
  constructor(private readonly empty: () => void) {}

  /**
   * @param take takes a try; false: there is none now, and it is called again when somebody has left
   * @returns false when there is none, and nobody of this process has one to leave
   * @throws what `take` throws
   */
  async enter(take: () => Promise<boolean>): Promise<boolean> {
    this.#present++;
    for (;;) {
      this.#busy++;
      const left = this.#left;
      try {
        if (await take()) return true;
      } catch (error) {
        this.leave();
        throw error;
      }
      this.#busy--;
      // One that was given back meanwhile is not in the answer of the store.
      if (left !== this.#left) continue;
      if (this.#busy === 0) {
        this.#gone();
        return false;
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Ends the try. */
  leave(): void {
    this.#busy--;
    this.#gone();
  }

  /** Whoever goes wakes the next one, also one that found nothing: else the ones behind it would wait for ever. */
  #gone(): void {
    this.#left++;
    this.#present--;
    this.#waiting.shift()?.();
    if (this.#present === 0) this.empty();
  }
}
