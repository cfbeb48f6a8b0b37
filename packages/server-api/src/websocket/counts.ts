/** How many there are of each name; those of which there are none take no memory. */
export class Counts {
  readonly #counts = new Map<string, number>();

  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  add(name: string, n: number): void {
    const count = this.of(name) + n;
    if (count > 0) this.#counts.set(name, count);
    else this.#counts.delete(name);
  }
}
