import { send } from '../devices/event-trace';
import type { Uuid } from '../devices/model';
import type { EpochMillis } from '../platform/clock';
import type { State } from '../state/state';
import { encodeRecords } from '../telemetry/record-lines';
import { packageIdOf } from './assigned-package';
import type { OtaPackage, PackageType } from './model';
import { targetAttributes, targetTelemetry } from './target-attributes';

type Stores = Pick<State, 'devices' | 'firmware' | 'attributes' | 'telemetryLog'>;

/** How often it is looked again whether another package was assigned in the meantime. */
const ATTEMPTS = 5;

/**
 * Tells a device of its package: what it has is compared with what it should have, so that it does no harm to do it again,
 * by several at once, or after a process died in the middle.
 */
export class DeviceFirmware {
  constructor(private readonly stores: Stores) {}

  /**
   * @param ts of what is written
   * @returns whether there was something to do
   * @throws TandemError STORE_UNAVAILABLE, BACKLOG_FULL
   */
  async bringUpToDate(deviceId: Uuid, type: PackageType, ts: EpochMillis): Promise<boolean> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const target = await this.#target(deviceId, type);
      // Looked at again after each write: of two that write at the same time the last one sees what is assigned by then.
      if (target === 'no device' || !(await this.#write(deviceId, type, target, ts))) return attempt > 0;
    }
    return true;
  }

  async #target(deviceId: Uuid, type: PackageType): Promise<OtaPackage | undefined | 'no device'> {
    const { devices, firmware } = this.stores;
    const device = await devices.getDevice(deviceId);
    if (!device) return 'no device';
    const id = packageIdOf(device, await devices.getProfileInfo(device.deviceProfileId), type);
    return id === null ? undefined : firmware.get(id);
  }

  async #write(deviceId: Uuid, type: PackageType, ota: OtaPackage | undefined, ts: EpochMillis): Promise<boolean> {
    const { attributes, telemetryLog } = this.stores;
    const { entries, absent } = targetAttributes(type, ota);
    const known = new Map(
      (await attributes.read(deviceId, 'SHARED', [...entries.map(({ key }) => key), ...absent])).map(
        ({ key, value }) => [key, value],
      ),
    );
    const wrong = absent.filter((key) => known.has(key));
    if (wrong.length === 0 && entries.every(({ key, value }) => known.get(key) === value)) return false;
    // The attributes last: a device that has them has all of it.
    if (ota) await telemetryLog.append({ deviceId, lines: encodeRecords(targetTelemetry(ota, ts)) });
    await send('attributes', deviceId, async (trace) => {
      if (wrong.length > 0) await attributes.delete(deviceId, 'SHARED', wrong, ts, trace);
      if (entries.length > 0) await attributes.save(deviceId, 'SHARED', entries, ts, trace);
    });
    return true;
  }
}
