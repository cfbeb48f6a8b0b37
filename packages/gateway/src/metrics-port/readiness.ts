import type { Clock, Millis, Role, State } from '@tandem/core';

/** Whoever asks wants an answer before they take this process for dead. */
const TIMEOUT: Millis = 2_000;

/** What `/readyz` tells. */
export class Readiness {
  readonly #starting: Set<Role>;
  #state: State | undefined;
  #waitingFor: string | undefined;

  /** @param stopping whether that has begun */
  constructor(
    roles: readonly Role[],
    private readonly clock: Clock,
    private readonly stopping: () => boolean,
  ) {
    this.#starting = new Set(roles);
  }

  /** The store cannot be opened yet. @param reason one line without a secret */
  waiting(reason: string): void {
    this.#waitingFor = reason;
  }

  opened(state: State): void {
    this.#state = state;
  }

  started(): void {
    this.#starting.clear();
  }

  /** The parts that are not up; empty = ready. Resolves in time, whatever the store does. */
  async notReady(): Promise<readonly string[]> {
    const parts = [...this.#starting].map((role) => `${role} is starting`);
    if (this.stopping()) return [...parts, 'shutting down'];
    if (!this.#state) {
      return [
        ...parts,
        this.#waitingFor ? `the store does not answer: ${this.#waitingFor}` : 'the store is being opened',
      ];
    }
    const failure = await this.#failureOf(this.#state);
    return failure === undefined ? parts : [...parts, failure];
  }

  #failureOf(state: State): Promise<string | undefined> {
    return new Promise((resolve) => {
      const timer = this.clock.setTimer(TIMEOUT, () => resolve('the store does not answer'));
      const told = (failure?: string) => {
        timer.cancel();
        resolve(failure);
      };
      state.ping().then(
        () => told(),
        (error: unknown) => told(`the store does not take writes: ${reasonOf(error)}`),
      );
    });
  }
}

/** The store's own words where it has some. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
