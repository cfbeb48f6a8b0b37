import { TandemError } from '@tandem/core';
import type { Environment } from './environment';
import type { FreeSpace } from './free-space';

const RETRY_AFTER = 5_000;

/**
 * Writes in atomic steps. A step does all its checks before its first write: lmdb keeps what a step has written before it
 * throws.
 */
export class Transactions {
  #underWay = 0;
  #closed = false;
  #drained: (() => void) | undefined;

  constructor(
    private readonly env: Pick<Environment, 'root'>,
    private readonly space: Pick<FreeSpace, 'refusal'>,
  ) {}

  /**
   * Runs `step` as one transaction; resolves when it survives what the durability setting names.
   * @throws TandemError STORE_UNAVAILABLE when the store cannot write
   */
  run<T>(step: () => T): Promise<T> {
    return this.during(() => this.env.root.transaction(step));
  }

  /**
   * Runs anything that writes: `close` waits for it, and after `close` it does not begin.
   * @throws TandemError STORE_UNAVAILABLE
   */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const refused = this.enter();
    if (refused) throw refused;
    try {
      return await work();
    } catch (error) {
      throw storeFailure(error);
    } finally {
      this.leave();
    }
  }

  /** Resolves when every transaction that has been begun is written, or has failed; never rejects. */
  async settled(): Promise<void> {
    if (this.#underWay === 0) return;
    await this.env.root.transaction(() => {}).catch(() => {});
  }

  /** Begins a write, which `leave` ends; or says why there can be none. */
  enter(): TandemError | undefined {
    if (this.#closed) return new TandemError('STORE_UNAVAILABLE', { message: 'The store is closed' });
    const refusal = this.space.refusal();
    if (refusal) return refusal;
    this.#underWay++;
    return undefined;
  }

  leave(): void {
    this.#underWay--;
    if (this.#underWay === 0) this.#drained?.();
  }

  /** Accepts nothing more; resolves when everything accepted has been written or has failed. */
  close(): Promise<void> {
    this.#closed = true;
    if (this.#underWay === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }
}

export function storeFailure(error: unknown): TandemError {
  return error instanceof TandemError
    ? error
    : new TandemError('STORE_UNAVAILABLE', { cause: error, retryAfter: RETRY_AFTER });
}
