import type { ActivityStore, ActivityTerms, EpochMillis, KeyValue, Settled, Uuid } from '@tandem/core';
import {
  type ActivityState,
  begin,
  type Changes,
  closed,
  dueTime,
  opened,
  readRow,
  seen,
  settle,
  timeoutOf,
  writeRow,
} from './activity-state';
import type { EmbeddedAttributes } from './attribute-store';
import type { EmbeddedFeed, Note } from './device-feed';
import type { Environment } from './environment';

type Tables = Pick<Environment, 'devices' | 'activity' | 'activityDue'>;

/**
 * One row for each device, and an index of those that have to be looked at some day. The time in the index is never later
 * than the true one: a message does not move it, the look that finds it too early does.
 */
export class EmbeddedActivity implements ActivityStore {
  constructor(
    private readonly env: Tables,
    private readonly feed: EmbeddedFeed,
    private readonly attributes: EmbeddedAttributes,
  ) {}

  begin(deviceId: Uuid, terms: ActivityTerms): Promise<void> {
    return this.#change(deviceId, terms, (state) => begin(state, terms));
  }

  report(activity: ReadonlyMap<Uuid, EpochMillis>, terms: ActivityTerms): Promise<readonly Uuid[]> {
    return this.feed.write((note) => {
      const became: Uuid[] = [];
      for (const [deviceId, at] of activity) {
        const changes = this.#apply(deviceId, terms, note, (state) => seen(state, at));
        if (changes?.some(({ key }) => key === 'active')) became.push(deviceId);
      }
      return became;
    });
  }

  opened(deviceId: Uuid, holder: string, at: EpochMillis, until: EpochMillis, terms: ActivityTerms): Promise<void> {
    return this.#change(deviceId, terms, (state) => opened(state, holder, at, until, terms.now));
  }

  closed(deviceId: Uuid, holder: string, at: EpochMillis, terms: ActivityTerms): Promise<void> {
    return this.#change(deviceId, terms, (state) => closed(state, holder, at, terms.now));
  }

  settle(terms: ActivityTerms, limit: number): Promise<Settled> {
    return this.feed.write((note) => {
      // Up to and with `now`: the smallest key behind it is that of the next millisecond.
      const due = limit > 0 ? [...this.env.activityDue.getKeys({ end: [terms.now + 1], limit })] : [];
      const becameInactive: Uuid[] = [];
      for (const [, id] of due) {
        const changes = this.#look(String(id), terms, note);
        if (changes?.some(({ key, value }) => key === 'active' && value === 'false')) becameInactive.push(String(id));
      }
      return { looked: due.length, becameInactive };
    });
  }

  reevaluate(deviceId: Uuid, terms: ActivityTerms): Promise<void> {
    return this.feed.write((note) => void this.#look(deviceId, terms, note));
  }

  #change(deviceId: Uuid, terms: ActivityTerms, change: (state: ActivityState) => Changes): Promise<void> {
    return this.feed.write((note) => void this.#apply(deviceId, terms, note, change));
  }

  #look(deviceId: Uuid, terms: ActivityTerms, note: Note): Changes | undefined {
    return this.#apply(deviceId, terms, note, (state, timeout) => settle(state, timeout, terms.now), true);
  }

  /**
   * Within a transaction.
   * @param exact puts the device into the index at the very time; else only where that is earlier than the one it has
   */
  #apply(
    deviceId: Uuid,
    terms: ActivityTerms,
    note: Note,
    change: (state: ActivityState, timeout: number) => readonly KeyValue[],
    exact = false,
  ): Changes | undefined {
    if (!this.env.devices.doesExist(deviceId)) return undefined;
    const before = this.env.activity.get(deviceId);
    const { state, due } = readRow(before);
    const timeout = timeoutOf(this.attributes.serverValue(deviceId, 'inactivityTimeout'), terms);
    const changes = [...change(state, timeout)];
    const next = dueTime(state, timeout) ?? 0;
    const moved = exact || due === 0 || (next > 0 && next < due) ? next : due;
    if (moved !== due) {
      if (due > 0) this.env.activityDue.remove([due, deviceId]);
      if (moved > 0) this.env.activityDue.put([moved, deviceId], '');
    }
    const row = writeRow({ state, due: moved });
    if (row !== before) this.env.activity.put(deviceId, row);
    this.attributes.putServer(deviceId, changes, terms.now, note);
    return changes;
  }
}

/** Within a transaction: what is known of a device that goes. */
export function removeActivity({ activity, activityDue }: Tables, deviceId: Uuid): void {
  const { due } = readRow(activity.get(deviceId));
  if (due > 0) activityDue.remove([due, deviceId]);
  activity.remove(deviceId);
}
