import type { AnswerFormat, AttributeObservation, AttributeUpdates, Connectivity, DeviceSession } from '@tandem/core';
import { TandemError } from '@tandem/core';
import { type Content, content } from '../content';
import type { Notification } from '../endpoint/index';
import { DeviceSource } from './device-source';

/** The shared attributes of one device on their way to one observer: each notification is all that changed since the last. */
export class AttributeSource extends DeviceSource<AttributeObservation> {
  /** Resolves with the source and the snapshot that answers the registration. */
  static async open(
    session: DeviceSession,
    updates: AttributeUpdates,
    connectivity: Pick<Connectivity, 'open'>,
    answers: AnswerFormat,
  ): Promise<{ source: AttributeSource; snapshot: Content }> {
    const source = new AttributeSource(session, connectivity);
    const { observation, snapshot } = await updates.observe(session, source, answers);
    source.observation = observation;
    return { source, snapshot: content(snapshot) };
  }

  get kind() {
    return 'attributes' as const;
  }

  async next(): Promise<Notification | undefined> {
    if (this.isClosed()) return undefined;
    try {
      const message = await this.observation?.next();
      return message && this.followed(content(message), message.traces);
    } catch (error) {
      // A store that is away comes back. What the format fails to say it would fail to say again.
      if (TandemError.from(error).code !== 'INTERNAL') throw error;
      this.fail();
      return undefined;
    }
  }
}
