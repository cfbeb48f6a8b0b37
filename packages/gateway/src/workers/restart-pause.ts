import type { Millis } from '@tandem/core';

const FIRST: Millis = 500;
const LONGEST: Millis = 30_000;
/** A worker that was up for this long did not end of what ended the ones before it. */
const STEADY: Millis = 60_000;

/** How long a place stays empty before its worker is started again: at first hardly, and longer with every further end soon after. */
export class RestartPause {
  #ends = 0;

  /** @param lived how long the worker that ended was ready */
  next(lived: Millis): Millis {
    this.#ends = lived >= STEADY ? 1 : this.#ends + 1;
    return Math.min(FIRST * 2 ** (this.#ends - 1), LONGEST);
  }
}
