import type { Uuid } from '../devices/model';
import type { EpochMillis, Millis } from '../platform/clock';

/** When something is noted, and what holds for a device without an `inactivityTimeout` of its own. */
export interface ActivityTerms {
  readonly now: EpochMillis;
  /** The timeout of a device whose SERVER attribute `inactivityTimeout` is not a LONG above 0. */
  readonly defaultTimeout: Millis;
}

export interface Settled {
  /** How many devices were looked at. */
  readonly looked: number;
  readonly becameInactive: readonly Uuid[];
}

/**
 * The connectivity of each device (server contract 9), one truth for all processes. What a user sees of it are SERVER
 * attributes: each method writes those that it changes in the same atomic step as what it notes, so that of an uplink and
 * a check at the same moment neither leaves an attribute that contradicts the other. A device that is gone has no
 * connectivity: for it every method does nothing.
 */
export interface ActivityStore {
  /**
   * A new device: `active` is false. One that sends nothing for its timeout gets an `inactivityAlarmTime`. Nothing for a
   * device that is known already.
   */
  begin(deviceId: Uuid, terms: ActivityTerms): Promise<void>;
  /**
   * Devices that sent something, each with the time of its newest message: `lastActivityTime`, and `active` where it was
   * not. A time that is not newer than the one noted changes nothing.
   * @returns those that became active
   */
  report(activity: ReadonlyMap<Uuid, EpochMillis>, terms: ActivityTerms): Promise<readonly Uuid[]>;
  /**
   * `holder` (a process) has a session of the device open since `at`; by itself it ends at `until`, unless it is opened
   * once more with a later `until`. `lastConnectTime` is `at` when no other holder has one.
   */
  opened(deviceId: Uuid, holder: string, at: EpochMillis, until: EpochMillis, terms: ActivityTerms): Promise<void>;
  /** `lastDisconnectTime` is `at` when no other holder has a session. Nothing when this holder has none. */
  closed(deviceId: Uuid, holder: string, at: EpochMillis, terms: ActivityTerms): Promise<void>;
  /**
   * Looks at devices whose time has come, earliest first: `active` becomes false where nothing came for the timeout, with
   * `inactivityAlarmTime`; `lastDisconnectTime` becomes the end of the last session that nobody renewed. Any number of
   * processes may do it at once: each change is made by one of them.
   * @param limit how many devices at the most
   */
  settle(terms: ActivityTerms, limit: number): Promise<Settled>;
  /** Looks at one device now: its `inactivityTimeout` may be another one. A longer one can make it active again. */
  reevaluate(deviceId: Uuid, terms: ActivityTerms): Promise<void>;
}
