import type { Device, ProfileInfo, Uuid } from '../devices/model';
import { TandemError } from '../errors';
import type { FirmwareStore } from '../state/firmware-store';
import { hasData, PACKAGE_TYPES, type PackageType } from './model';

/** What devices and profiles refer to packages with. */
export type Assigned = Pick<Device | ProfileInfo, 'firmwareId' | 'softwareId'>;

export const assignedId = (assigned: Assigned, type: PackageType): Uuid | null =>
  (type === 'FIRMWARE' ? assigned.firmwareId : assigned.softwareId) ?? null;

/** A device's own package, else that of its profile. */
export const packageIdOf = (device: Device, profile: ProfileInfo | undefined, type: PackageType): Uuid | null =>
  assignedId(device, type) ?? (profile ? assignedId(profile, type) : null);

/**
 * Whether the packages may be assigned to the devices of a profile (server contract 8). A foreign package is as absent as one
 * that never was.
 * @param before what was assigned until now, to devices of the same profile: packages do not change
 * @throws TandemError BAD_REQUEST with the reference's sentences
 */
export async function checkAssigned(
  packages: Pick<FirmwareStore, 'get'>,
  { tenantId, profileId }: { readonly tenantId: Uuid; readonly profileId: Uuid },
  after: Assigned,
  before?: Assigned,
): Promise<void> {
  for (const type of PACKAGE_TYPES) {
    const id = assignedId(after, type);
    if (id === null || (before && assignedId(before, type) === id)) continue;
    const ota = await packages.get(id);
    const word = type.toLowerCase();
    if (ota?.tenantId !== tenantId) throw refused(`Can't assign non-existent ${word}!`);
    if (ota.type !== type) throw refused(`Can't assign ${word} with type: ${ota.type}`);
    if (!hasData(ota)) throw refused(`Can't assign ${word} with empty data!`);
    if (ota.deviceProfileId !== profileId) throw refused(`Can't assign ${word} with different deviceProfile!`);
  }
}

const refused = (message: string) => new TandemError('BAD_REQUEST', { message });
