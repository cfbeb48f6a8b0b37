import type { AttributeObservation, AttributeUpdates, DeviceSession } from '@tandem/core';
import type { Notification, ObservationHandle, ObservationSource } from './endpoint/index';
import { JSON_FORMAT } from './json-response';
import { RelationLink } from './relation-link';

/** The shared attributes of one device on their way to one observer: each notification is all that changed since the last. */
export class AttributeSource implements ObservationSource {
  readonly #link = new RelationLink();
  #observation: AttributeObservation | undefined;
  #closed = false;

  private constructor() {}

  /** Resolves with the source and the snapshot that answers the registration. */
  static async open(
    session: DeviceSession,
    updates: AttributeUpdates,
  ): Promise<{ source: AttributeSource; snapshot: string }> {
    const source = new AttributeSource();
    const onChange = () => source.#link.ready();
    const observation = await updates.observe(session, onChange, () => source.#link.end());
    source.#observation = observation;
    return { source, snapshot: observation.snapshot };
  }

  attach(relation: ObservationHandle): void {
    this.#observation?.begin();
    this.#link.attach(relation);
  }

  async next(): Promise<Notification | undefined> {
    const payload = this.#closed ? undefined : await this.#observation?.next();
    return payload === undefined ? undefined : { code: '2.05', payload, contentFormat: JSON_FORMAT };
  }

  closed(): void {
    this.#closed = true;
    this.#observation?.close();
  }
}
