import type { Uuid } from '../devices/model';
import type { KeyValue, Value } from '../payload/value';
import type { EpochMillis } from '../platform/clock';
import type { Position } from './device-events';

/** Contract 0.2: CLIENT is written by the device, SHARED by the server for the device, SERVER never leaves the server. */
export type AttributeScope = 'CLIENT' | 'SHARED' | 'SERVER';

export interface Attribute {
  readonly key: string;
  readonly value: Value;
  readonly lastUpdateTs: EpochMillis;
}

/** All attributes of a scope as of one position of the device's event log. */
export interface AttributeSnapshot {
  readonly attributes: readonly Attribute[];
  readonly position: Position;
}

export interface AttributeStore {
  /**
   * In no particular order.
   * @param keys all of the scope where undefined; an empty list reads nothing. Unknown keys are left out.
   */
  read(deviceId: Uuid, scope: AttributeScope, keys?: readonly string[]): Promise<Attribute[]>;
  /** One attribute of many devices: of those that have it. */
  readEach(deviceIds: readonly Uuid[], scope: AttributeScope, key: string): Promise<ReadonlyMap<Uuid, Value>>;
  /** The SHARED scope and the position in the event log it belongs to, read in one step. */
  snapshotShared(deviceId: Uuid): Promise<AttributeSnapshot>;
  /**
   * One save is one event: for SHARED the same atomic step appends `{updated: entries}` to the device's event log and
   * wakes its waiters. Saving an unchanged value counts as a change; saving no entries is no event and wakes nobody.
   * Writing for a device that is gone writes nothing and answers false.
   * @param entries keys of 1 to 255 characters: whoever calls has checked; a store that cannot keep a longer one rejects
   * with BAD_REQUEST and keeps nothing of the save. Text that is no Unicode (unpaired surrogates)
   * may come back as U+FFFD.
   * @param trace kept with the event, for SHARED: whoever delivers it goes on in that trace
   */
  save(
    deviceId: Uuid,
    scope: AttributeScope,
    entries: readonly KeyValue[],
    ts: EpochMillis,
    trace?: string,
  ): Promise<boolean>;
  /**
   * Saves an attribute of the SERVER scope unless the device has one of this key, whatever its value: of those who do it at the
   * same time, on any process, one saves.
   * @returns whether this call has saved it; false also for a device that is gone
   */
  saveServerIfAbsent(deviceId: Uuid, entry: KeyValue, ts: EpochMillis): Promise<boolean>;
  /**
   * For SHARED appends `{deleted: keys}` in the same step and wakes the waiters; no event where no key existed.
   * @param trace as of `save`
   * @returns the keys that existed, each once
   */
  delete(
    deviceId: Uuid,
    scope: AttributeScope,
    keys: readonly string[],
    ts: EpochMillis,
    trace?: string,
  ): Promise<readonly string[]>;
}
