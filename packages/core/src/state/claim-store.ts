import type { Device, Uuid } from '../devices/model';
import type { EpochMillis } from '../platform/clock';
import type { Written } from './device-store';

/** What a device has said so that a user can have it (contract 6.2). */
export interface Claim {
  /** SHA-256 of the secret, hexadecimal: of bounded length. A secret can be short, so the hash is one as well. */
  readonly secretHash: string;
  readonly expirationTime: EpochMillis;
}

/** At most one claim of each device, gone with the device. Every method is one atomic step. */
export interface ClaimStore {
  /**
   * Notes the claim, unless one is there that has not expired at `now`. Nothing is noted for a device that is gone or has a
   * customer.
   * @returns whether it was noted
   */
  register(deviceId: Uuid, claim: Claim, now: EpochMillis): Promise<boolean>;
  get(deviceId: Uuid): Promise<Claim | undefined>;
  /** Removes this very claim; another one by then stays. @returns whether it was there */
  discard(deviceId: Uuid, claim: Claim): Promise<boolean>;
  /**
   * Changes the customer of a device, and whatever claim it has is used up by that: the device is stored as by
   * `DeviceStore.updateDevice`. Of two that give the device to somebody one runs into VERSION.
   * @param claim that this rests on; VERSION where it is not there any more. Undefined: it rests on none
   */
  assign(device: Device, claim?: Claim): Promise<Written<Device>>;
}
