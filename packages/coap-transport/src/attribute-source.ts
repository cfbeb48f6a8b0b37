import type { AttributeObservation, AttributeUpdates, Connectivity, DeviceSession } from '@tandem/core';
import { DeviceSource } from './device-source';
import type { Notification } from './endpoint/index';
import { JSON_FORMAT } from './json-response';

/** The shared attributes of one device on their way to one observer: each notification is all that changed since the last. */
export class AttributeSource extends DeviceSource<AttributeObservation> {
  /** Resolves with the source and the snapshot that answers the registration. */
  static async open(
    session: DeviceSession,
    updates: AttributeUpdates,
    connectivity: Pick<Connectivity, 'open'>,
  ): Promise<{ source: AttributeSource; snapshot: string }> {
    const source = new AttributeSource(session.deviceId, connectivity);
    const observation = await updates.observe(session, source);
    source.observation = observation;
    return { source, snapshot: observation.snapshot };
  }

  get kind() {
    return 'attributes' as const;
  }

  async next(): Promise<Notification | undefined> {
    const payload = this.isClosed() ? undefined : await this.observation?.next();
    return payload === undefined ? undefined : { code: '2.05', payload, contentFormat: JSON_FORMAT };
  }
}
