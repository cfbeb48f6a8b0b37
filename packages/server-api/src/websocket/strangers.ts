import { Counts } from './counts';

/** Those of whom nobody knows yet who they are: so many in all, and a share of it for each address. */
export class Strangers<T> {
  readonly #addresses = new Map<T, string>();
  readonly #byAddress = new Counts();

  constructor(
    private readonly max: number,
    private readonly maxOfAddress: number,
  ) {}

  get size(): number {
    return this.#addresses.size;
  }

  /** Why there is no room for one more from there; undefined: there is. */
  fullBy(address: string): 'strangers' | 'strangersOfAddress' | undefined {
    if (this.size >= this.max) return 'strangers';
    return this.#byAddress.of(address) >= this.maxOfAddress ? 'strangersOfAddress' : undefined;
  }

  /** One that has not been added before. */
  add(stranger: T, address: string): void {
    this.#addresses.set(stranger, address);
    this.#byAddress.add(address, 1);
  }

  /** Also where it is none any more. */
  delete(stranger: T): void {
    const address = this.#addresses.get(stranger);
    if (address === undefined) return;
    this.#addresses.delete(stranger);
    this.#byAddress.add(address, -1);
  }
}
