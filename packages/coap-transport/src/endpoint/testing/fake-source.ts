import type { Notification, ObservationEnd, ObservationHandle, ObservationSource } from '../observation';

/** A source with a queue, and a record of all that happened to it. */
export class FakeSource implements ObservationSource {
  relation: ObservationHandle | undefined;
  readonly pending: Notification[] = [];
  readonly ends: ObservationEnd[] = [];
  readonly events: string[] = [];
  pulls = 0;

  attach(relation: ObservationHandle): void {
    this.relation = relation;
    if (this.pending.length > 0) relation.ready();
  }

  next(): Notification | undefined | Promise<Notification | undefined> {
    this.pulls++;
    return this.pending.shift();
  }

  closed(reason: ObservationEnd): void {
    this.ends.push(reason);
  }

  /** Queues a 2.05 notification that records what becomes of it. */
  notify(payload: string, more: Partial<Notification> = {}): void {
    this.pending.push({
      code: '2.05',
      payload,
      contentFormat: 50,
      sent: () => void this.events.push(`sent ${payload}`),
      delivered: () => void this.events.push(`delivered ${payload}`),
      lapsed: () => void this.events.push(`lapsed ${payload}`),
      ...more,
    });
    this.relation?.ready();
  }
}
