import { createSecretKey, type KeyObject } from 'node:crypto';
import type { State } from '@tandem/core';

/**
 * What all processes of a store sign their tokens with: read once, and again after the store lost everything. A key object
 * and not its bytes, which jsonwebtoken tries to read as a public key first, at every verification: that costs half a
 * millisecond.
 */
export class SigningKey {
  #key: Promise<KeyObject> | undefined;
  /** Forgets the store, which may have been closed. */
  readonly close: () => void;

  constructor(private readonly state: Pick<State, 'secret' | 'onReset'>) {
    this.close = state.onReset(() => {
      this.#key = undefined;
    });
  }

  /** @throws TandemError STORE_UNAVAILABLE */
  get(): Promise<KeyObject> {
    this.#key ??= this.#read();
    return this.#key;
  }

  async #read(): Promise<KeyObject> {
    try {
      return createSecretKey(await this.state.secret('jwt'));
    } catch (error) {
      // The next one asks again.
      this.#key = undefined;
      throw error;
    }
  }
}
