import type { Clock, Millis, Role, State } from '@tandem/core';
import type { Part } from './parts';
import { StoreProbe } from './store-probe';

/** A step that fails once may be one that fails no more. */
const FAILED_STEPS = 3;
/** A thread that has ended so often in a row is not brought back by starting it once more from here. */
const ENDS = 20;
/** A disk that is slow for a moment is not helped by a new process. */
const LONGEST_WRITE: Millis = 60_000;

export interface ReadinessOptions {
  /** Doors that this process opens. */
  readonly doors: readonly Role[];
  /** Whether the store is within this process, so that one that hangs can be got rid of with it. */
  readonly embedded: boolean;
  /** Whether this process runs the materialiser. */
  readonly materialises: boolean;
  readonly clock: Clock;
  /** Whether that has begun. */
  readonly stopping: () => boolean;
}

/** What `/readyz` and `/livez` tell of this process. */
export class Readiness {
  readonly #doors: Map<Role, Part>;
  #opened: { readonly state: State; readonly probe: StoreProbe } | undefined;
  #waitingFor: string | undefined;

  constructor(private readonly options: ReadinessOptions) {
    this.#doors = new Map(options.doors.map((name) => [name, { name, state: 'starting', needed: true }]));
  }

  /** The store cannot be opened yet. @param reason one line without a secret */
  waiting(reason: string): void {
    this.#waitingFor = reason;
  }

  opened(state: State): void {
    this.#opened = { state, probe: new StoreProbe(state, this.options.clock) };
  }

  serves(door: Role): void {
    this.#doors.set(door, { name: door, state: 'up', needed: true });
  }

  /** The process goes on without. @param reason one line without a secret */
  servesNot(door: Role, reason: string): void {
    this.#doors.set(door, { name: door, state: 'off', reason: `${door} is not served: ${reason}`, needed: false });
  }

  /** Resolves in time, whatever the store does. */
  async parts(): Promise<readonly Part[]> {
    const doors = [...this.#doors.values()];
    if (this.options.stopping()) {
      return [...doors, { name: 'process', state: 'stopping', reason: 'shutting down', needed: true }];
    }
    const store = await this.#store();
    return [...doors, store, ...(this.options.materialises ? [this.#materialiser()] : [])];
  }

  /** What of it hangs and would not after a new start; empty = alive. A store elsewhere is not asked for. */
  hanging(): readonly string[] {
    if (!this.#opened || this.options.stopping()) return [];
    const { state, probe } = this.#opened;
    const hanging: string[] = [];
    if (this.options.embedded) {
      const owed = probe.hangingFor();
      if (owed >= LONGEST_WRITE) hanging.push(`the store has not answered for ${Math.floor(owed / 1_000)} s`);
    }
    const { ends, reason } = state.materialiser.condition();
    if (ends >= ENDS) hanging.push(`the thread of the materialiser has ended ${ends} times in a row: ${reason}`);
    return hanging;
  }

  async #store(): Promise<Part> {
    const store = { name: 'store', needed: true } as const;
    if (!this.#opened) {
      const reason = this.#waitingFor && `the store does not answer: ${this.#waitingFor}`;
      return { ...store, ...(reason ? { state: 'failing', reason } : OPENING) };
    }
    const reason = await this.#opened.probe.failure();
    return reason === undefined ? { ...store, state: 'up' } : { ...store, state: 'failing', reason };
  }

  /** Telemetry is accepted without it: what is not seen for a while is no reason to refuse what comes in. */
  #materialiser(): Part {
    const part = { name: 'materialiser', needed: false } as const;
    const condition = this.#opened?.state.materialiser.condition();
    if (!condition || condition.state === 'stopped') return { ...part, state: 'starting' };
    const { state, failedSteps, reason } = condition;
    if (state === 'running' && failedSteps < FAILED_STEPS) return { ...part, state: 'up' };
    const what = state === 'ended' ? 'has ended and is started again' : 'does not get on';
    return { ...part, state: 'failing', reason: `the materialiser ${what}: ${reason}` };
  }
}

const OPENING = { state: 'starting', reason: 'the store is being opened' } as const;
