import type { Device, DeviceProfile, ProfileInfo, Uuid } from '../devices/model';
import { TandemError } from '../errors';
import type { Clock, Millis } from '../platform/clock';
import type { Logger } from '../platform/logger';
import type { Random } from '../platform/random';
import type { Written } from '../state/device-store';
import type { Rollout, RolloutTarget } from '../state/rollout-store';
import type { State } from '../state/state';
import { assignedId, checkAssigned, packageIdOf } from './assigned-package';
import type { DeviceFirmware } from './device-firmware';
import { PACKAGE_TYPES, type PackageType } from './model';

/** How long a write of the registry may take: until then nobody takes up what it notes. */
const WRITE: Millis = 60_000;

/**
 * What saving a device or a profile means for the firmware and software of devices (server contract 8). What has to be done is
 * noted before the save, so that it is done also when the process dies right after it: a note that proves idle costs a
 * look.
 */
export class FirmwareAssignment {
  constructor(
    private readonly stores: Pick<State, 'devices' | 'firmware' | 'rollouts'>,
    private readonly devices: DeviceFirmware,
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly logger: Logger,
  ) {}

  /**
   * Saves a device; its package, be it its own or its profile's, is told to it at once.
   * @param before none for a new one
   * @param profile of the device as it will be
   * @throws TandemError BAD_REQUEST for a package that may not be assigned, and what `write` throws
   */
  async saveDevice(
    before: Device | undefined,
    after: Device,
    profile: ProfileInfo,
    write: () => Promise<Written<Device>>,
  ): Promise<Written<Device>> {
    const moved = before?.deviceProfileId !== profile.id;
    const owner = { tenantId: after.tenantId, profileId: profile.id };
    await checkAssigned(this.stores.firmware, owner, after, moved ? undefined : before);
    const former = moved && before ? await this.stores.devices.getProfileInfo(before.deviceProfileId) : profile;
    const changed = PACKAGE_TYPES.filter(
      (type) => packageIdOf(after, profile, type) !== (before ? packageIdOf(before, former, type) : null),
    );
    const noted = await this.#note('device', after.id, changed);
    const written = await write();
    if (!written.ok) {
      await this.#release(noted);
      return written;
    }
    for (const rollout of noted) await this.#quietly(after.id, () => this.#tell(rollout));
    if (moved) await this.#quietly(after.id, () => this.#followProfile(after, profile, changed));
    return written;
  }

  /**
   * Saves a profile; devices without a package of their own are told of its package in the background.
   * @param before none for a new one, which has no devices
   * @throws TandemError BAD_REQUEST for a package that may not be assigned, and what `write` throws
   */
  async saveProfile(
    before: ProfileInfo | undefined,
    after: DeviceProfile,
    write: () => Promise<Written<DeviceProfile>>,
  ): Promise<Written<DeviceProfile>> {
    await checkAssigned(this.stores.firmware, { tenantId: after.tenantId, profileId: after.id }, after, before);
    const changed = before ? PACKAGE_TYPES.filter((type) => assignedId(after, type) !== assignedId(before, type)) : [];
    const noted = await this.#note('profile', after.id, changed);
    const written = await write();
    await this.#release(noted);
    return written;
  }

  async #note(kind: RolloutTarget['kind'], id: Uuid, types: readonly PackageType[]): Promise<Rollout[]> {
    const now = this.clock.now();
    const rollouts = types.map((type) => ({
      target: { kind, id, type },
      ts: now,
      holder: this.random.uuid(),
      cursor: '',
      devices: 0,
    }));
    await Promise.all(rollouts.map((rollout) => this.stores.rollouts.note(rollout, now + WRITE)));
    return rollouts;
  }

  /** Also when nothing was saved: the note may have superseded that of a save which was made. */
  async #release(noted: readonly Rollout[]): Promise<void> {
    for (const rollout of noted) {
      await this.#quietly(rollout.target.id, () => this.stores.rollouts.keep(rollout, this.clock.now()));
    }
  }

  async #tell(rollout: Rollout): Promise<void> {
    const { target, ts } = rollout;
    try {
      await this.devices.bringUpToDate(target.id, target.type, ts);
      await this.stores.rollouts.finish(rollout);
    } catch (error) {
      await this.stores.rollouts.keep(rollout, this.clock.now());
      throw error;
    }
  }

  /** A rollout of the profile that went by before the device was in it has not seen it. */
  async #followProfile(device: Device, known: ProfileInfo, told: readonly PackageType[]): Promise<void> {
    const now = await this.stores.devices.getProfileInfo(known.id);
    for (const type of PACKAGE_TYPES) {
      if (!now || told.includes(type) || assignedId(now, type) === assignedId(known, type)) continue;
      await this.devices.bringUpToDate(device.id, type, this.clock.now());
    }
  }

  /** The save is made, and stays so: where this fails now it is taken up from its note. */
  async #quietly(id: Uuid, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.logger.warn('firmware is told to devices later', { id, error: TandemError.from(error).message });
    }
  }
}
