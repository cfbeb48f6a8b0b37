import type { Millis } from '../platform/clock';
import type { FailureGate } from './failure-gate';
import { TryQueue } from './try-queue';

/** What is thrown instead of a try. */
export interface TryRefusals {
  locked(lock: Millis): Error;
  /** All tries are under way, and none of them here. */
  crowded(): Error;
}

/** Work that may turn out to be a failure, as a try that is taken before it: many at once are no more tries than one by one. */
export class Tries {
  /** Of subjects that work is under way for, no more than there is work. */
  readonly #queues = new Map<string, TryQueue>();

  constructor(
    private readonly gate: FailureGate,
    private readonly refusals: TryRefusals,
  ) {}

  /** Whether any are under way. */
  get any(): boolean {
    return this.#queues.size > 0;
  }

  /**
   * @param isFailure of what the work ends with; work that throws gives its try back
   * @param counted told how long a failure locks, 0 where it does not
   * @throws what the refusals are, before the work, and whatever the work throws
   */
  async run<T>(
    name: string,
    work: () => Promise<T>,
    isFailure: (outcome: T) => boolean,
    counted: (lock: Millis) => void = () => {},
  ): Promise<T> {
    if (!this.gate.limits) return work();
    const queue = this.#queueOf(name);
    if (!(await queue.enter(() => this.#take(name)))) throw this.refusals.crowded();
    let failed = false;
    try {
      const outcome = await work();
      failed = isFailure(outcome);
      if (failed) counted(await this.gate.failed(name, true));
      return outcome;
    } finally {
      if (failed) queue.leave();
      else {
        // The outcome does not wait for it: a try that is not given back is forgotten after a while.
        void this.gate
          .giveBack(name)
          .catch(() => {})
          .finally(() => queue.leave());
      }
    }
  }

  /** @returns whether there was a try left */
  async #take(name: string): Promise<boolean> {
    const attempt = await this.gate.attempt(name);
    if (attempt.taken || attempt.lock === 0) return attempt.taken;
    throw this.refusals.locked(attempt.lock);
  }

  #queueOf(name: string): TryQueue {
    const known = this.#queues.get(name);
    if (known) return known;
    const queue = new TryQueue(() => this.#queues.delete(name));
    this.#queues.set(name, queue);
    return queue;
  }
}
