import type { Clock, Millis } from '../platform/clock';
import type { Attempt, FailureCounters, FailureLimit } from '../state/failure-counters';

/** Failures of one kind of subjects, such as accounts, or addresses that log in: by one limit, under names of their own. */
export class FailureGate {
  /** @param limit `max` 0: nobody is ever locked, and nothing is counted */
  constructor(
    private readonly counters: FailureCounters,
    private readonly kind: string,
    private readonly limit: FailureLimit,
    private readonly clock: Pick<Clock, 'now'>,
  ) {}

  get limits(): boolean {
    return this.limit.max > 0;
  }

  /** How long the subject is still locked; 0 when it is not. */
  async locked(name: string): Promise<Millis> {
    return this.limits ? this.counters.locked(this.#subject(name), this.clock.now()) : 0;
  }

  /**
   * One more failure.
   * @param attempted it ends a try that `attempt` has taken
   * @returns as `locked`, with this failure
   */
  async failed(name: string, attempted = false): Promise<Millis> {
    if (!this.limits) return 0;
    return this.counters.fail(this.#subject(name), this.limit, this.clock.now(), { attempted });
  }

  /** Forgets the failures of the subject; a lock stays. */
  async succeeded(name: string): Promise<void> {
    if (this.limits) await this.counters.succeed(this.#subject(name));
  }

  /** To be asked where there is a limit alone. */
  attempt(name: string): Promise<Attempt> {
    return this.counters.attempt(this.#subject(name), this.limit, this.clock.now());
  }

  /** Whether the subject has no try left as far as this process knows. */
  isSpent(name: string): boolean {
    return this.limits && (this.counters.isSpent?.(this.#subject(name), this.limit, this.clock.now()) ?? false);
  }

  giveBack(name: string): Promise<void> {
    return this.counters.giveBack(this.#subject(name), this.clock.now());
  }

  #subject(name: string): string {
    return `${this.kind} ${name}`;
  }
}
