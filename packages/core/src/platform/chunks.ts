/** So many are put together when they are this small, in bytes, on the average. */
const LOOSE_MAX = 256;
const SMALL = 1_024;

/**
 * What comes in by pieces. Somebody can send a body byte by byte, and each would take hundreds of bytes of memory: small pieces are
 * put together on the way.
 */
export class Chunks {
  readonly #whole: Buffer[] = [];
  #loose: Buffer[] = [];
  #looseBytes = 0;
  #bytes = 0;

  /** How many have come. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Of which objects it consists: what memory is for. */
  get pieces(): number {
    return this.#whole.length + this.#loose.length;
  }

  add(chunk: Buffer): void {
    this.#bytes += chunk.length;
    this.#looseBytes += chunk.length;
    if (this.#loose.push(chunk) < LOOSE_MAX) return;
    if (this.#looseBytes < LOOSE_MAX * SMALL) this.#whole.push(Buffer.concat(this.#loose, this.#looseBytes));
    else this.#whole.push(...this.#loose);
    this.#loose = [];
    this.#looseBytes = 0;
  }

  /** All of it, as one. */
  joined(): Buffer {
    const [first] = this.#loose;
    if (first && this.#whole.length === 0 && this.#loose.length === 1) return first;
    return Buffer.concat([...this.#whole, ...this.#loose], this.#bytes);
  }
}
