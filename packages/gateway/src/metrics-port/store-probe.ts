import type { Clock, Millis, State } from '@tandem/core';

/** Whoever asks wants an answer before they take this process for dead. */
const TIMEOUT: Millis = 2_000;

/** Asks the store with a write whether it takes one; however many want to know, with one at a time. */
export class StoreProbe {
  #asked: { readonly since: Millis; readonly failure: Promise<string | undefined> } | undefined;

  constructor(
    private readonly state: Pick<State, 'ping'>,
    private readonly clock: Clock,
  ) {}

  /** What is wrong with it; undefined = nothing. Resolves in time, whatever the store does. */
  failure(): Promise<string | undefined> {
    return new Promise((resolve) => {
      const timer = this.clock.setTimer(TIMEOUT, () => resolve('the store does not answer'));
      this.#ask().then((failure) => {
        timer.cancel();
        resolve(failure);
      });
    });
  }

  /** How long it has owed an answer. The next call knows more: this one asks it where nobody has. */
  hangingFor(): Millis {
    void this.#ask();
    return this.#asked ? this.clock.monotonic() - this.#asked.since : 0;
  }

  #ask(): Promise<string | undefined> {
    if (this.#asked) return this.#asked.failure;
    const failure = this.state
      .ping()
      .then(
        () => undefined,
        (error: unknown) => `the store does not take writes: ${reasonOf(error)}`,
      )
      .finally(() => {
        this.#asked = undefined;
      });
    this.#asked = { since: this.clock.monotonic(), failure };
    return failure;
  }
}

/** The store's own words where it has some. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
