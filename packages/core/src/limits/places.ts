import type { Uuid } from '../devices/model';

/** Places for which many compete, of which nobody may have more than a share. */
export class Places {
  readonly #of = new Map<Uuid, number>();
  #taken = 0;

  /**
   * @param max of all together
   * @param share of one
   */
  constructor(
    private readonly max: number,
    private readonly share: number,
  ) {}

  get taken(): number {
    return this.#taken;
  }

  /** @returns frees the place, to be called once; undefined when there is none */
  take(holder: Uuid): (() => void) | undefined {
    const taken = this.#of.get(holder) ?? 0;
    if (this.#taken >= this.max || taken >= this.share) return undefined;
    this.#taken++;
    this.#of.set(holder, taken + 1);
    return () => {
      this.#taken--;
      const left = (this.#of.get(holder) ?? 0) - 1;
      if (left > 0) this.#of.set(holder, left);
      else this.#of.delete(holder);
    };
  }
}
