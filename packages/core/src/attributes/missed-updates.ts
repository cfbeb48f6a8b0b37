import { tracesOf } from '../devices/event-trace';
import type { Uuid } from '../devices/model';
import type { Logger } from '../platform/logger';
import type { AttributeStore } from '../state/attribute-store';
import { type AttributeEvent, type DeviceEvents, NO_LOG_EPOCH, type Position } from '../state/device-events';
import { AttributeDelta } from './attribute-delta';

export interface Missed {
  readonly delta: AttributeDelta;
  /** The position the delta leads to. */
  readonly position: Position;
  /** In which the events were sent, oldest first; undefined where none was, or nothing is traced here. */
  readonly traces?: readonly string[];
}

const NOTHING: readonly string[] = [];

/**
 * What follows a position of a device's event log. A waiter that fell out of the log gets the full state, and `deleted`
 * for the keys the rest of the log knows to be gone: never a silent hole (design section 2 and 9).
 */
export class MissedUpdates {
  constructor(
    private readonly events: DeviceEvents,
    private readonly attributes: AttributeStore,
    private readonly logger: Logger,
  ) {}

  /**
   * Nothing of a device that is gone: the end of its session is what its waiters hear of. An empty delta, after a lost
   * position with nothing to tell, only moves the position.
   * @param limit how many events may be folded into the answer: 1 for a poll, more for an observation
   * @param told the keys the waiter has, where that is known: those that are gone are told to be, however little the log kept
   */
  async after(
    deviceId: Uuid,
    position: Position,
    limit: number,
    told: readonly string[] = NOTHING,
  ): Promise<Missed | undefined> {
    const read = await this.events.read(deviceId, position, limit);
    if (read.kind === 'gap') return this.#fullState(deviceId, position, read.kept, told);
    const delta = new AttributeDelta();
    let last: AttributeEvent | undefined;
    for (const event of read.events) {
      if (!delta.canTell(event)) break;
      delta.add(event);
      last = event;
    }
    if (!last) return undefined;
    const { offset } = last;
    const traces = tracesOf(read.events, (event) => event.offset <= offset);
    return { delta, position: { epoch: read.epoch, offset }, traces };
  }

  async #fullState(
    deviceId: Uuid,
    lost: Position,
    kept: readonly AttributeEvent[],
    told: readonly string[],
  ): Promise<Missed | undefined> {
    const snapshot = await this.attributes.snapshotShared(deviceId);
    // What belonged to it may not have been cleared away yet.
    if (snapshot.position.epoch === NO_LOG_EPOCH) return undefined;
    const delta = new AttributeDelta();
    delta.add({ updated: [], deleted: [...told] });
    for (const event of kept) delta.add({ updated: [], deleted: event.deleted });
    delta.add({ updated: snapshot.attributes, deleted: [] });
    if (!delta.empty) this.#tell(deviceId, lost, snapshot.position);
    return { delta, position: snapshot.position };
  }

  #tell(deviceId: Uuid, lost: Position, head: Position): void {
    // The store was restarted or failed over: every waiter at once, and for none of them out of the ordinary.
    if (lost.epoch !== head.epoch) {
      this.logger.info('waiter of an earlier event log gets the full state', { deviceId, fullState: true });
      return;
    }
    const events = head.offset - lost.offset;
    this.logger.warn('waiter fell out of the event log and gets the full state', { deviceId, events, fullState: true });
  }
}
