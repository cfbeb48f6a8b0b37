import { type Logger, MultiMap, tellOne, type Uuid, type Wake } from '@tandem/core';

type Listener = (wake: Wake) => void;

/** Who waits for which device: in one process a wake-up is a call. */
export class WakeUps {
  readonly #listeners = new MultiMap<Uuid, Listener>();

  constructor(private readonly logger: Logger) {}

  watch(deviceId: Uuid, listener: Listener): () => void {
    this.#listeners.add(deviceId, listener);
    return () => void this.#listeners.delete(deviceId, listener);
  }

  wake(deviceId: Uuid, wake: Wake): void {
    for (const listener of this.#listeners.of(deviceId)) {
      if (this.#listeners.has(deviceId, listener)) tellOne(listener, wake, this.logger);
    }
  }

  get size(): number {
    return this.#listeners.size;
  }
}
