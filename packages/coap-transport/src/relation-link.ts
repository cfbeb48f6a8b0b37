import type { ObservationHandle } from './endpoint/index';

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
