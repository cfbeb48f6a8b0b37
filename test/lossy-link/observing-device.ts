import type { ParsedPacket } from 'coap-packet';
import { LastingObservation } from './lasting-observation';
import type { LossyDevice } from './lossy-world';

/** A device that keeps its shared attributes, carries out commands and answers them. */
export class ObservingDevice {
  /** The shared attributes as far as it knows. */
  attributes: Record<string, unknown> = {};
  /** How often each command has reached it, by its parameter. */
  readonly commands = new Map<number, number>();
  readonly #observations: readonly LastingObservation[];
  #stopped = false;

  constructor(
    private readonly device: LossyDevice,
    silence: number,
    confirmable: boolean,
  ) {
    this.#observations = [
      new LastingObservation(device.peer, {
        path: `${device.base}/attributes`,
        silence,
        confirmable,
        unordered: false,
        take: (message, kind) => this.#attributes(message, kind),
      }),
      new LastingObservation(device.peer, {
        path: `${device.base}/rpc`,
        silence,
        confirmable,
        unordered: true,
        take: (message, kind) => kind === 'next' && this.#command(message),
      }),
    ];
  }

  get registrations(): number {
    return this.#observations.reduce((sum, { registrations }) => sum + registrations, 0);
  }

  start(): void {
    for (const observation of this.#observations) void observation.register();
  }

  stop(): void {
    this.#stopped = true;
    for (const observation of this.#observations) observation.stop();
  }

  #attributes({ payload }: ParsedPacket, kind: 'first' | 'next'): void {
    const { deleted = [], ...changed } = JSON.parse(payload.toString()) as { deleted?: string[] };
    this.attributes = kind === 'first' ? changed : { ...this.attributes, ...changed };
    for (const key of deleted) delete this.attributes[key];
  }

  #command({ payload }: ParsedPacket): void {
    const { id, params } = JSON.parse(payload.toString()) as { id: number; params: number };
    const times = (this.commands.get(params) ?? 0) + 1;
    this.commands.set(params, times);
    // The answer is sent until it has arrived; a command that comes again meanwhile needs no second one.
    if (times === 1) void this.#answer(id, params);
  }

  async #answer(id: number, params: number): Promise<void> {
    const { peer, base } = this.device;
    const request = { method: 'POST', path: `${base}/rpc/${id}`, payload: `{"done":${params}}` } as const;
    while (!this.#stopped && (await peer.request(request))?.code !== '2.01');
  }
}
