import { type Clock, type Logger, type Millis, quietLogger } from '@tandem/core';

/** What goes on is said again after this long. */
export const SAY_AGAIN: Millis = 10_000;
/** Where some commands fail and others do not, it is over when none has failed for this long. */
const SETTLED: Millis = 1_000;

/** Tells the log when Redis does not take commands, and when it does again. */
export class Outage {
  readonly #logger: Logger;
  #began: Millis | undefined;
  #lastFailed: Millis = 0;
  #reason: string | undefined;

  constructor(
    private readonly logger: Logger,
    private readonly clock: Clock,
  ) {
    this.#logger = quietLogger(logger, clock, SAY_AGAIN);
  }

  /** Why the last command failed that did; undefined while they work. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** @param reason without a secret */
  failed(reason: string): void {
    const now = this.clock.monotonic();
    this.#began ??= now;
    this.#lastFailed = now;
    this.#reason = reason;
    this.#logger.error('Redis does not take commands; callers get 503', { reason });
  }

  worked(): void {
    if (this.#began === undefined) return;
    const now = this.clock.monotonic();
    if (now - this.#lastFailed < SETTLED) return;
    this.logger.info('Redis takes commands again', { lastedMillis: Math.round(now - this.#began) });
    this.#began = undefined;
    this.#reason = undefined;
  }
}
