/** How the materialiser of a process gets on, and how it has since a step of it went well. */
export interface MaterialiserCondition {
  /** `ended`: its thread is gone, and will be started again. */
  readonly state: 'stopped' | 'running' | 'ended';
  /** Steps in a row that failed. */
  readonly failedSteps: number;
  /** How often in a row its thread ended. */
  readonly ends: number;
  /** Of the latest of these, in one line without a secret. */
  readonly reason: string | undefined;
}

const LONGEST_REASON = 300;

/** Kept by whoever runs the thread. */
export class MaterialiserRecord {
  #state: MaterialiserCondition['state'] = 'stopped';
  #failedSteps = 0;
  #ends = 0;
  #reason: string | undefined;

  get condition(): MaterialiserCondition {
    return { state: this.#state, failedSteps: this.#failedSteps, ends: this.#ends, reason: this.#reason };
  }

  /** How much has gone wrong in a row; 0: it gets on. */
  get failures(): number {
    return this.#failedSteps + this.#ends;
  }

  running(): void {
    this.#state = 'running';
  }

  /** As it was told to. */
  stopped(): void {
    this.#state = 'stopped';
    this.worked();
  }

  worked(): void {
    this.#failedSteps = 0;
    this.#ends = 0;
    this.#reason = undefined;
  }

  failed(reason: string): void {
    this.#failedSteps++;
    this.#reason = lineOf(reason);
  }

  /** @param reason undefined: what was said before still holds */
  ended(reason?: string): void {
    this.#state = 'ended';
    this.#ends++;
    if (reason !== undefined) this.#reason = lineOf(reason);
  }
}

const lineOf = (reason: string): string => (reason.split('\n', 1)[0] ?? '').slice(0, LONGEST_REASON);
