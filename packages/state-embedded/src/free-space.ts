import { statfsSync } from 'node:fs';
import { TandemError } from '@tandem/core';

/** How often it is looked at, in milliseconds: what can be written in the meantime has to fit into the reserve. */
const INTERVAL = 1_000;
const RETRY_AFTER = 10_000;

/** Bytes that may still be written to the file system of the folder. */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/**
 * Keeps writes away from a disk that is nearly full: lmdb brings the process down when a commit finds no room. Whoever wants to
 * write meanwhile hears that the store is out of reach, and nothing of what was accepted before is touched.
 */
export class FreeSpace {
  #free: number;
  readonly #timer: NodeJS.Timeout;

  /** @param reserve bytes that stay free */
  constructor(
    private readonly folder: string,
    private readonly reserve: number,
    private readonly changed: (low: boolean, free: number) => void,
  ) {
    this.#free = freeBytes(folder);
    this.#timer = setInterval(() => this.look(), INTERVAL).unref();
  }

  get bytes(): number {
    return this.#free;
  }

  get low(): boolean {
    return this.#free < this.reserve;
  }

  /** Why nothing can be written now, if so. */
  refusal(): TandemError | undefined {
    return this.low
      ? new TandemError('STORE_UNAVAILABLE', { message: 'The disk is nearly full', retryAfter: RETRY_AFTER })
      : undefined;
  }

  look(): void {
    const before = this.low;
    this.#free = freeBytes(this.folder);
    if (this.low !== before) this.changed(this.low, this.#free);
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
