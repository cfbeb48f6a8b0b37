import type { AttributeObservation, AttributeUpdates, DeviceSession } from '@tandem/core';
import type { Notification, ObservationHandle, ObservationSource } from './endpoint/index';
import { JSON_FORMAT } from './json-response';
import { type Observer, type Observers, RelationLink } from './observers';

/** The shared attributes of one device on their way to one observer: each notification is all that changed since the last. */
export class AttributeSource implements ObservationSource, Observer {
  readonly #link = new RelationLink();
  #observation: AttributeObservation | undefined;
  #closed = false;

  private constructor(
    private readonly deviceId: string,
    private readonly observers: Observers,
  ) {}

  /** Resolves with the source and the snapshot that answers the registration. */
  static async open(
    session: DeviceSession,
    updates: AttributeUpdates,
    observers: Observers,
  ): Promise<{ source: AttributeSource; snapshot: string }> {
    const source = new AttributeSource(session.deviceId, observers);
    const onChange = () => source.#link.ready();
    const observation = await updates.observe(session.deviceId, onChange, () => source.#link.end());
    source.#observation = observation;
    return { source, snapshot: observation.snapshot };
  }

  attach(relation: ObservationHandle): void {
    this.observers.enter(this.deviceId, this);
    this.#link.attach(relation);
  }

  async next(): Promise<Notification | undefined> {
    const payload = this.#closed ? undefined : await this.#observation?.next();
    return payload === undefined ? undefined : { code: '2.05', payload, contentFormat: JSON_FORMAT };
  }

  supersede(): void {
    this.#link.end();
  }

  closed(): void {
    this.#closed = true;
    this.#observation?.close();
    this.observers.leave(this.deviceId, this);
  }
}
