/** Rows that are named where some do not open. */
const NAMED = 5;

/** What a pass over all secrets of a store has come to. A row that does not open holds up no other. */
export class SealPass {
  readonly #spoilt: string[] = [];
  #sealed = 0;

  /**
   * @param row its table and id
   * @param reseal computes what has to stand there, and nothing else
   * @returns undefined where nothing is to be written
   */
  tried<T>(row: string, reseal: () => T | undefined): T | undefined {
    try {
      return reseal();
    } catch {
      this.#spoilt.push(row);
      return undefined;
    }
  }

  sealed(rows: number): void {
    this.#sealed += rows;
  }

  /** @returns how many were sealed. @throws Error in one line where some do not open */
  end(): number {
    if (this.#spoilt.length === 0) return this.#sealed;
    const named = this.#spoilt.slice(0, NAMED).join(', ');
    throw new Error(
      `${this.#spoilt.length} secrets do not open and stay as they are (${named}): they are spoilt, stand where they do not ` +
        `belong, or are of a lost key; ${this.#sealed} others were sealed`,
    );
  }
}
