import type { Clock, Logger, Millis, Timer } from '@tandem/core';

/** Something whose rights have to be looked at again. */
export interface Reviewed {
  /** Ends it where it may not be any more. @returns whether anybody could say; else it is asked again before long */
  review(): Promise<boolean>;
}

/** At the same time: few enough to leave the store to those who ask it. */
const WORKERS = 16;
/** Until those are asked again of whom nobody could say. */
const PAUSE: Millis = 2_000;

/** Looks again at whatever it is given, each once however often it is given meanwhile, until somebody can say. */
export class Reviews {
  readonly #due = new Set<Reviewed>();
  readonly #unknown = new Set<Reviewed>();
  #workers = 0;
  #retry: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  get due(): number {
    return this.#due.size + this.#unknown.size;
  }

  add(reviewed: Iterable<Reviewed>): void {
    for (const each of reviewed) {
      this.#unknown.delete(each);
      this.#due.add(each);
    }
    for (let n = Math.min(WORKERS - this.#workers, this.#due.size); n > 0; n--) void this.#work();
  }

  clear(): void {
    this.#due.clear();
    this.#unknown.clear();
    this.#retry?.cancel();
    this.#retry = undefined;
  }

  async #work(): Promise<void> {
    this.#workers++;
    try {
      for (const each of this.#due) {
        this.#due.delete(each);
        if (!(await this.#isKnown(each))) this.#askAgain(each);
      }
    } finally {
      this.#workers--;
    }
  }

  async #isKnown(reviewed: Reviewed): Promise<boolean> {
    try {
      return await reviewed.review();
    } catch (error) {
      this.logger.error('rights over WebSocket could not be looked at again', { error: String(error) });
      return false;
    }
  }

  #askAgain(reviewed: Reviewed): void {
    this.#unknown.add(reviewed);
    this.#retry ??= this.clock.setTimer(PAUSE, () => {
      this.#retry = undefined;
      const unknown = [...this.#unknown];
      this.#unknown.clear();
      this.add(unknown);
    });
  }
}
