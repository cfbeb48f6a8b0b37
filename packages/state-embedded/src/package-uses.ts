import type { Uuid } from '@tandem/core';
import type { Environment } from './environment';
import { prefixRange, uuidBytes } from './keys';

/** What a device or a device profile refers to. */
export interface Assigned {
  readonly id: Uuid;
  readonly firmwareId: Uuid | null;
  readonly softwareId: Uuid | null;
}

/** Which devices and profiles refer to which packages. All of it within a transaction. */
export class PackageUses {
  constructor(private readonly env: Pick<Environment, 'packages' | 'packageUses'>) {}

  used(packageId: Uuid): boolean {
    for (const _ of this.env.packageUses.getKeys({ ...prefixRange(uuidBytes(packageId)), limit: 1 })) return true;
    return false;
  }

  /** Whether all packages that are referred to are there. */
  sound(assigned: Assigned): boolean {
    return packagesOf(assigned).every((id) => this.env.packages.doesExist(id));
  }

  add(assigned: Assigned): void {
    for (const id of packagesOf(assigned)) this.env.packageUses.put(useKey(id, assigned), '');
  }

  remove(assigned: Assigned): void {
    for (const id of packagesOf(assigned)) this.env.packageUses.remove(useKey(id, assigned));
  }
}

const packagesOf = ({ firmwareId, softwareId }: Assigned): Uuid[] => [firmwareId, softwareId].flatMap((id) => id ?? []);

const useKey = (packageId: Uuid, { id }: Assigned) => Buffer.concat([uuidBytes(packageId), uuidBytes(id)]);
