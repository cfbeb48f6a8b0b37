import type { ObservationHandle } from './endpoint/index';

/** One observation of a device, as the registry knows it. */
export interface Observer {
  /** The registration was taken over by another one: ends with a final 2.02. */
  supersede(): void;
}

/** At most one observation of a kind for each device: the newest (contract 2.6.1, TV-297). */
export class Observers {
  readonly #byDevice = new Map<string, Observer>();

  /** Makes `observer` the one of its device; the older one ends. */
  enter(deviceId: string, observer: Observer): void {
    const older = this.#byDevice.get(deviceId);
    this.#byDevice.set(deviceId, observer);
    if (older !== observer) older?.supersede();
  }

  leave(deviceId: string, observer: Observer): void {
    if (this.#byDevice.get(deviceId) === observer) this.#byDevice.delete(deviceId);
  }
}

/** Final answer to an observer whose observation ends in good order (contract 2.6.3): without Observe, without payload. */
const FINAL = { code: '2.02' } as const;

/**
 * The endpoint's handle as a source needs it: what happens before the relation is attached is kept until it is.
 */
export class RelationLink {
  #relation: ObservationHandle | undefined;
  #ready = false;
  #ended = false;

  attach(relation: ObservationHandle): void {
    this.#relation = relation;
    if (this.#ended) relation.end(FINAL);
    else if (this.#ready) relation.ready();
  }

  ready(): void {
    this.#ready = true;
    this.#relation?.ready();
  }

  end(): void {
    this.#ended = true;
    this.#relation?.end(FINAL);
  }
}
