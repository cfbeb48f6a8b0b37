import type { Clock, Logger, Millis } from '@tandem/core';

interface Step {
  readonly name: string;
  /** @param elapsed since the shutdown began */
  readonly run: (elapsed: Millis) => void | Promise<void>;
  readonly limit?: Millis;
}

/**
 * How long requests may wait for a store that does not answer until they are refused: just before the first stage ends, so
 * that nobody's connection is cut without an answer.
 */
export const PATIENCE: Millis = 1_800;

/**
 * How long the first stage may take. A request whose body never comes ends only when its connection is cut, and that is
 * for the stage after it.
 */
const FIRST_STAGE: Millis = 2_000;

/**
 * What has to be undone, in three stages: `first` whatever answers those who wait, `sockets` the doors, `last` what the others need.
 * Within a stage all run at the same time but for `last`, which runs backwards one by one.
 */
export class Shutdown {
  readonly #first: Step[] = [];
  readonly #sockets: Step[] = [];
  readonly #last: Step[] = [];
  #running: Promise<void> | undefined;
  #begun: Millis = 0;

  constructor(
    private readonly logger: Logger,
    private readonly clock: Clock,
  ) {}

  get begun(): boolean {
    return this.#running !== undefined;
  }

  first(name: string, run: Step['run']): void {
    this.#first.push({ name, run });
  }

  sockets(name: string, run: Step['run']): void {
    this.#sockets.push({ name, run });
  }

  /** @param limit it is not waited for any longer than this: for what a store that hangs would hold up */
  last(name: string, run: Step['run'], limit?: Millis): void {
    this.#last.unshift({ name, run, limit });
  }

  run(): Promise<void> {
    if (!this.#running) {
      this.#begun = this.clock.monotonic();
      this.#running = this.#run();
    }
    return this.#running;
  }

  async #run(): Promise<void> {
    await this.#atMost(FIRST_STAGE, Promise.all(this.#first.map((step) => this.#do(step))));
    await Promise.all(this.#sockets.map((step) => this.#do(step)));
    for (const step of this.#last) {
      const done = this.#do(step);
      await (step.limit === undefined ? done : this.#atMost(step.limit, done));
    }
  }

  async #do({ name, run }: Step): Promise<void> {
    try {
      await run(this.clock.monotonic() - this.#begun);
    } catch (error) {
      this.logger.error('part did not close', { part: name, error: String(error) });
    }
  }

  #atMost(limit: Millis, done: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.clock.setTimer(limit, resolve);
      done.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }
}
