import type { Millis } from '@tandem/core';
import type { ViewEnvironment } from './environment';
import { type Pass, type RetentionRules, storedPass, sweep } from './retention';

export interface SweeperOptions {
  readonly rules: RetentionRules;
  /** From the end of a pass to the begin of the next. */
  readonly interval: Millis;
  /** After a step. */
  readonly onStep: (pass: Pass, removed: number) => void;
  /** A pass is through that began after this many requests. */
  readonly onSwept: (requests: number) => void;
  readonly onFailure: (error: unknown) => void;
}

/** Rest between two steps: the materialiser gets its turn, and the machine is left to those who accept messages. */
const MIN_REST: Millis = 20;
const MAX_REST: Millis = 600;
const AFTER_FAILURE: Millis = 10_000;

/** Runs the passes of the retention, step by step, beside the materialiser on its thread. */
export class Sweeper {
  #timer: NodeJS.Timeout | undefined;
  /** How often a pass was asked for, and how often when the one under way began; none where that began in another life. */
  #requests = 0;
  #begunAfter: number | undefined;

  constructor(
    private readonly view: ViewEnvironment,
    private readonly options: SweeperOptions,
  ) {}

  start(): void {
    const { ended } = storedPass(this.view);
    this.#next(Math.max(0, ended + this.options.interval - Date.now()));
  }

  /** @param requests so far */
  request(requests: number): void {
    this.#requests = requests;
    this.#next(0);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  readonly #step = (): void => {
    const begun = performance.now();
    try {
      this.view.root.resetReadTxn();
      const isNew = storedPass(this.view).ended > 0;
      if (isNew) this.#begunAfter = this.#requests;
      const { pass, removed } = sweep(this.view, this.options.rules, Date.now());
      this.options.onStep(pass, removed);
      if (pass.ended === 0) this.#next(restAfter(performance.now() - begun));
      else this.#passed();
    } catch (error) {
      this.options.onFailure(error);
      this.#next(AFTER_FAILURE);
    }
  };

  #passed(): void {
    const answered = this.#begunAfter;
    this.#begunAfter = undefined;
    if (answered !== undefined) this.options.onSwept(answered);
    this.#next(this.#requests > (answered ?? 0) ? 0 : this.options.interval);
  }

  #next(delay: Millis): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#step, delay);
  }
}

const restAfter = (duration: Millis): Millis => Math.min(Math.max(MIN_REST, duration * 4), MAX_REST);
