import type {
  AttributeEvent,
  DeviceEvents,
  EpochMillis,
  EventsRead,
  Millis,
  ObservedKind,
  Position,
  Uuid,
  Wake,
} from '@tandem/core';
import type { Environment } from './environment';
import { offsetBytes, uuidBytes } from './keys';
import type { Transactions } from './transactions';
import type { WakeUps } from './wake-ups';

interface Head {
  readonly epoch: string;
  /** How many events there have been. */
  readonly offset: number;
  /** Position before the oldest event that is kept. */
  readonly start: number;
}

interface Cursor extends Position {
  readonly expiry: EpochMillis;
}

/** A device that never was has a log that never grows. */
const NO_LOG: Head = { epoch: '-', offset: 0, start: 0 };

export class EmbeddedEvents implements DeviceEvents {
  /** Cursors that are being written: what is read or compared meanwhile is these. */
  readonly #cursorsUnderWay = new Map<Uuid, Cursor>();
  /** By kind and device. In memory: an observation does not outlive the process either. */
  readonly #observers: Readonly<Record<ObservedKind, Map<Uuid, string>>> = { attributes: new Map(), rpc: new Map() };

  constructor(
    private readonly env: Environment,
    private readonly transactions: Transactions,
    private readonly wakeUps: WakeUps,
    private readonly maxEvents: number,
  ) {}

  async head(deviceId: Uuid): Promise<Position> {
    return this.position(deviceId);
  }

  async read(deviceId: Uuid, after: Position, limit: number): Promise<EventsRead> {
    const head = this.#head(deviceId);
    const lost = after.epoch !== head.epoch || after.offset < head.start || after.offset > head.offset;
    if (lost) return { kind: 'gap', head: positionOf(head), kept: this.#events(deviceId, head.start, head.offset) };
    const last = Math.min(head.offset, after.offset + limit);
    return { kind: 'events', epoch: head.epoch, events: this.#events(deviceId, after.offset, last) };
  }

  watch(deviceId: Uuid, listener: (wake: Wake) => void): () => void {
    return this.wakeUps.watch(deviceId, listener);
  }

  async getCursor(deviceId: Uuid, now: EpochMillis): Promise<Position | undefined> {
    const cursor = this.#cursor(deviceId);
    return cursor && cursor.expiry > now ? { epoch: cursor.epoch, offset: cursor.offset } : undefined;
  }

  setCursor(deviceId: Uuid, position: Position, now: EpochMillis, ttl: Millis): Promise<void> {
    return this.transactions.during(async () => {
      // A position in a log that is gone must not take the place of one in this log.
      if (this.#head(deviceId).epoch !== position.epoch || !this.env.eventHeads.doesExist(deviceId)) return;
      const kept = this.#cursor(deviceId);
      const ahead = kept && kept.expiry > now && kept.epoch === position.epoch && kept.offset > position.offset;
      const cursor: Cursor = {
        epoch: position.epoch,
        offset: ahead ? kept.offset : position.offset,
        expiry: Math.max(now + ttl, ahead ? kept.expiry : 0),
      };
      // A plain write: thousands of polls end at once when a gateway stops, and a transaction each would take seconds.
      this.#cursorsUnderWay.set(deviceId, cursor);
      try {
        await this.env.cursors.put(deviceId, `${cursor.epoch} ${cursor.offset} ${cursor.expiry}`);
      } finally {
        if (this.#cursorsUnderWay.get(deviceId) === cursor) this.#cursorsUnderWay.delete(deviceId);
      }
    });
  }

  async setObserver(deviceId: Uuid, kind: ObservedKind, observer: string): Promise<void> {
    if (!this.env.eventHeads.doesExist(deviceId)) return;
    this.#observers[kind].set(deviceId, observer);
    this.wakeUps.wake(deviceId, 'observer');
  }

  async getObserver(deviceId: Uuid, kind: ObservedKind): Promise<string | undefined> {
    return this.env.eventHeads.doesExist(deviceId) ? this.#observers[kind].get(deviceId) : undefined;
  }

  /** What is not in the tables about a device that is gone. */
  forget(deviceId: Uuid): void {
    for (const observers of Object.values(this.#observers)) observers.delete(deviceId);
  }

  /** Within a transaction: the log of a new device. */
  begin(deviceId: Uuid, epoch: string): void {
    this.env.eventHeads.put(deviceId, `${epoch} 0 0`);
  }

  /** Within a transaction: appends, and lets go of the oldest event beyond the bound. */
  append(deviceId: Uuid, event: Omit<AttributeEvent, 'offset'>): void {
    const { epoch, offset, start } = this.#head(deviceId);
    const device = uuidBytes(deviceId);
    const next = offset + 1;
    this.env.events.put(Buffer.concat([device, offsetBytes(next)]), JSON.stringify(event));
    let kept = start;
    while (next - kept > this.maxEvents) {
      kept++;
      this.env.events.remove(Buffer.concat([device, offsetBytes(kept)]));
    }
    this.env.eventHeads.put(deviceId, `${epoch} ${next} ${kept}`);
  }

  position(deviceId: Uuid): Position {
    return positionOf(this.#head(deviceId));
  }

  #head(deviceId: Uuid): Head {
    const text = this.env.eventHeads.get(deviceId);
    if (text === undefined) return NO_LOG;
    const [epoch = '', offset, start] = text.split(' ');
    return { epoch, offset: Number(offset), start: Number(start) };
  }

  /** Events whose offset is in (after, last]. */
  #events(deviceId: Uuid, after: number, last: number): AttributeEvent[] {
    const device = uuidBytes(deviceId);
    const events: AttributeEvent[] = [];
    for (let offset = after + 1; offset <= last; offset++) {
      const text = this.env.events.get(Buffer.concat([device, offsetBytes(offset)]));
      if (text !== undefined) events.push({ offset, ...(JSON.parse(text) as Omit<AttributeEvent, 'offset'>) });
    }
    return events;
  }

  #cursor(deviceId: Uuid): Cursor | undefined {
    const underWay = this.#cursorsUnderWay.get(deviceId);
    if (underWay) return underWay;
    const [epoch, offset, expiry] = this.env.cursors.get(deviceId)?.split(' ') ?? [];
    return epoch === undefined ? undefined : { epoch, offset: Number(offset), expiry: Number(expiry) };
  }
}

const positionOf = ({ epoch, offset }: Head): Position => ({ epoch, offset });
