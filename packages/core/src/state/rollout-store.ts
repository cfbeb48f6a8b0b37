import type { Uuid } from '../devices/model';
import type { PackageType } from '../firmware/model';
import type { EpochMillis } from '../platform/clock';

/** Whose firmware or software is to be brought up to date: that of all devices of a profile, or of one device. */
export interface RolloutTarget {
  readonly kind: 'profile' | 'device';
  readonly id: Uuid;
  readonly type: PackageType;
}

/** A piece of work that survives whoever does it. */
export interface Rollout {
  readonly target: RolloutTarget;
  /** When it was asked for: the time of what it writes, so that what is done twice is the same. */
  readonly ts: EpochMillis;
  /** Who has it in hand: a name that nobody else uses, another one with every hold. */
  readonly holder: string;
  /** Where it goes on, of `DeviceStore.devicesOfProfile`; empty at the beginning. */
  readonly cursor: string;
  /** Devices brought up to date so far. */
  readonly devices: number;
}

/**
 * The rollouts that are not finished, for all processes. Each is held by one of them, until a time: then another one may take
 * it. A rollout that is noted for a target supersedes the one that was there: whoever had that in hand has it no more.
 */
export interface RolloutStore {
  /** @param until nobody takes it before */
  note(rollout: Rollout, until: EpochMillis): Promise<void>;
  /**
   * Takes one in hand that nobody holds at `now`, the one that has waited longest. Undefined when there is none. One whose
   * answer got lost on the way waits until `until`.
   */
  take(holder: string, now: EpochMillis, until: EpochMillis): Promise<Rollout | undefined>;
  /**
   * Keeps how far it came, and holds it until another time; in the past for one that anybody may take.
   * @returns whether it is still in the hand of its holder; where not nothing was kept
   */
  keep(rollout: Rollout, until: EpochMillis): Promise<boolean>;
  /** There is nothing more to do. Nothing when it is not in the hand of its holder any more. */
  finish(rollout: Rollout): Promise<void>;
  /** How many there are. */
  count(): Promise<number>;
}
