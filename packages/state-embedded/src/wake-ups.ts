import type { Uuid, Wake } from '@tandem/core';

type Listener = (wake: Wake) => void;

/** Who waits for which device: in one process a wake-up is a call. */
export class WakeUps {
  readonly #listeners = new Map<Uuid, Set<Listener>>();

  watch(deviceId: Uuid, listener: Listener): () => void {
    const listeners = this.#listeners.get(deviceId) ?? new Set();
    listeners.add(listener);
    this.#listeners.set(deviceId, listeners);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(deviceId) === listeners) this.#listeners.delete(deviceId);
    };
  }

  wake(deviceId: Uuid, wake: Wake): void {
    const listeners = this.#listeners.get(deviceId);
    for (const listener of [...(listeners ?? [])]) if (listeners?.has(listener)) listener(wake);
  }

  get size(): number {
    return this.#listeners.size;
  }
}
