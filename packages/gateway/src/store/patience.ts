import { type Clock, type Logger, type Millis, TandemError } from '@tandem/core';

const PAUSE: Millis = 500;

/** For a store that others run: steps that it did not answer are taken again until it does, or nobody wants them. */
export class Patience {
  /** @param endless false: a step that fails is not taken again */
  constructor(
    private readonly endless: boolean,
    readonly signal: AbortSignal,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /**
   * @param step may be taken several times, also where it had its effect before
   * @throws what it throws that is not STORE_UNAVAILABLE; the signal's reason when that is aborted
   */
  async with<T>(what: string, step: () => Promise<T>): Promise<T> {
    for (let told = false; ; told = true) {
      try {
        return await step();
      } catch (error) {
        if (!this.endless || !(error instanceof TandemError) || error.code !== 'STORE_UNAVAILABLE') throw error;
        this.signal.throwIfAborted();
        if (!told) this.logger.warn('the store does not answer; trying on', { what, error: error.message });
      }
      await this.#pause();
    }
  }

  #pause(): Promise<void> {
    const { clock, signal } = this;
    return new Promise((resolve, reject) => {
      const abort = () => {
        timer.cancel();
        reject(signal.reason);
      };
      const timer = clock.setTimer(PAUSE, () => {
        signal.removeEventListener('abort', abort);
        resolve();
      });
      signal.addEventListener('abort', abort, { once: true });
    });
  }
}
