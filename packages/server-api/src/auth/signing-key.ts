import type { State } from '@tandem/core';

/** What all processes of a store sign their tokens with: read once, and again after the store lost everything. */
export class SigningKey {
  #key: Promise<Buffer> | undefined;
  /** Forgets the store, which may have been closed. */
  readonly close: () => void;

  constructor(private readonly state: Pick<State, 'secret' | 'onReset'>) {
    this.close = state.onReset(() => {
      this.#key = undefined;
    });
  }

  /** @throws TandemError STORE_UNAVAILABLE */
  get(): Promise<Buffer> {
    this.#key ??= this.#read();
    return this.#key;
  }

  async #read(): Promise<Buffer> {
    try {
      return await this.state.secret('jwt');
    } catch (error) {
      // The next one asks again.
      this.#key = undefined;
      throw error;
    }
  }
}
