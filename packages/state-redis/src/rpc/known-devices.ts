import type { Uuid } from '@tandem/core';

/** Of which device a command is, as this process has seen it last: saves the look into the registrations. Bounded. */
export class KnownDevices {
  readonly #devices = new Map<Uuid, Uuid>();

  constructor(private readonly max: number) {}

  get size(): number {
    return this.#devices.size;
  }

  get(rpcId: Uuid): Uuid | undefined {
    return this.#devices.get(rpcId);
  }

  /** The one noted longest ago makes room. */
  note(rpcId: Uuid, deviceId: Uuid): void {
    this.#devices.delete(rpcId);
    this.#devices.set(rpcId, deviceId);
    if (this.#devices.size <= this.max) return;
    const [oldest] = this.#devices.keys();
    if (oldest !== undefined) this.#devices.delete(oldest);
  }

  forget(rpcId: Uuid): void {
    this.#devices.delete(rpcId);
  }
}
