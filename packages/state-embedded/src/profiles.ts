import {
  type Conflict,
  credentialsHash,
  type Device,
  type DeviceProfile,
  type Page,
  type ProfileInfo,
  type ProfileQuery,
  page,
  type SealedRecords,
  type SessionChange,
  type StoredProfile,
  type Uuid,
  type Written,
} from '@tandem/core';
import { conflict, fits, follow, get, indexKey, isPresent, lookUp, put, versionConflict } from './entity-rows';
import type { Environment } from './environment';
import { prefixRange, uuidBytes } from './keys';
import { PackageUses } from './package-uses';
import { isRemoved } from './removals';
import type { Transactions } from './transactions';

/** Device profiles, their names and provision keys, and which is the default of its tenant. */
export class EmbeddedProfiles {
  readonly #packages: PackageUses;

  constructor(
    private readonly env: Environment,
    private readonly transactions: Transactions,
    private readonly records: SealedRecords,
    private readonly tell: (change: SessionChange) => void,
  ) {
    this.#packages = new PackageUses(env);
  }

  create(profile: DeviceProfile): Promise<Written<DeviceProfile>> {
    return this.transactions.run(() => {
      if (isRemoved(this.env, profile.tenantId)) return conflict('ABSENT');
      const taken = this.#taken(profile);
      if (taken) return conflict(taken);
      if (!this.#packages.sound(profile)) return conflict('PACKAGE_ABSENT');
      this.#put(profile);
      return fits(profile);
    });
  }

  async update(profile: DeviceProfile): Promise<Written<DeviceProfile>> {
    const result = await this.transactions.run((): Written<DeviceProfile> => {
      const stored = this.getInfo(profile.id);
      const refused = versionConflict(stored, profile);
      if (refused || !stored) return conflict(refused ?? 'ABSENT');
      const taken = this.#taken(profile);
      if (taken) return conflict(taken);
      if (stored.transportType !== profile.transportType && this.#inUse(profile.id)) return conflict('IN_USE');
      if (!this.#packages.sound(profile)) return conflict('PACKAGE_ABSENT');
      this.#removeFromIndexes(stored);
      const updated = { ...profile, isDefault: profile.isDefault || stored.isDefault, version: stored.version + 1 };
      this.#put(updated);
      if (stored.name !== updated.name) {
        for (const device of [...this.#devicesOf(updated.id)]) put(this.env.devices, { ...device, type: updated.name });
      }
      return fits(updated);
    });
    if (result.ok) this.tell({ kind: 'profile', profileId: profile.id });
    return result;
  }

  async delete(id: Uuid): Promise<Written<DeviceProfile>> {
    const result = await this.transactions.run((): Written<DeviceProfile> => {
      const stored = this.get(id);
      if (!stored) return conflict('ABSENT');
      if (this.#inUse(id)) return conflict('IN_USE');
      this.env.profiles.remove(id);
      this.env.profileData.remove(id);
      this.#removeFromIndexes(stored);
      if (this.env.defaultProfiles.get(stored.tenantId) === id) this.env.defaultProfiles.remove(stored.tenantId);
      return fits(stored);
    });
    if (result.ok) this.tell({ kind: 'profile', profileId: id });
    return result;
  }

  get(id: Uuid): DeviceProfile | undefined {
    const [info, text] = [this.getInfo(id), this.env.profileData.get(id)];
    return info && text !== undefined ? { ...info, profileData: this.records.profileData(id, text) } : undefined;
  }

  getInfo(id: Uuid): ProfileInfo | undefined {
    const stored = get<StoredProfile>(this.env.profiles, id);
    return stored && this.records.profile(stored);
  }

  findByName(tenantId: Uuid, name: string): ProfileInfo | undefined {
    return this.#follow(lookUp(this.env.profilesByName, tenantId, name));
  }

  findDefault(tenantId: Uuid): ProfileInfo | undefined {
    return this.#follow(this.env.defaultProfiles.get(tenantId));
  }

  findByProvisionKey(key: string): DeviceProfile | undefined {
    const id = this.env.profilesByProvisionKey.get(credentialsHash(key));
    return id === undefined ? undefined : this.get(id);
  }

  list(tenantId: Uuid, query: ProfileQuery): Page<ProfileInfo> {
    const ids = this.env.profilesByName.getRange(prefixRange(uuidBytes(tenantId))).map(({ value }) => value);
    const profiles = [...ids].map((id) => this.getInfo(id)).filter(isPresent);
    const wanted = profiles.filter(
      ({ id, transportType }) =>
        (!query.transportType || transportType === query.transportType) && (!query.inUse || this.#inUse(id)),
    );
    return page(wanted, query);
  }

  #follow(id: Uuid | undefined): ProfileInfo | undefined {
    return id === undefined ? undefined : this.getInfo(id);
  }

  #taken(profile: ProfileInfo): Conflict | undefined {
    const { profilesByName, profilesByProvisionKey } = this.env;
    const named = profilesByName.get(indexKey(profile));
    if (named !== undefined && named !== profile.id) return 'NAME_TAKEN';
    const keyed = profile.provisionDeviceKey
      ? profilesByProvisionKey.get(credentialsHash(profile.provisionDeviceKey))
      : undefined;
    return keyed !== undefined && keyed !== profile.id ? 'PROVISION_KEY_TAKEN' : undefined;
  }

  #put({ profileData, ...profile }: DeviceProfile): void {
    const former = this.env.defaultProfiles.get(profile.tenantId);
    if (profile.isDefault && former !== profile.id) {
      const displaced = follow<StoredProfile>(this.env.profiles, former);
      if (displaced) put(this.env.profiles, { ...displaced, isDefault: false });
      this.env.defaultProfiles.put(profile.tenantId, profile.id);
    }
    put(this.env.profiles, this.records.storedProfile(profile));
    this.env.profileData.put(profile.id, this.records.profileDataText(profile.id, profileData));
    this.#packages.add(profile);
    this.env.profilesByName.put(indexKey(profile), profile.id);
    if (profile.provisionDeviceKey) {
      this.env.profilesByProvisionKey.put(credentialsHash(profile.provisionDeviceKey), profile.id);
    }
  }

  #removeFromIndexes(profile: ProfileInfo): void {
    this.#packages.remove(profile);
    this.env.profilesByName.remove(indexKey(profile));
    if (profile.provisionDeviceKey) {
      this.env.profilesByProvisionKey.remove(credentialsHash(profile.provisionDeviceKey));
    }
  }

  #inUse(id: Uuid): boolean {
    return this.#devicesOf(id).next().done !== true;
  }

  *#devicesOf(profileId: Uuid): Generator<Device> {
    for (const { value: id } of this.env.devicesByProfile.getRange(prefixRange(uuidBytes(profileId)))) {
      const device = get<Device>(this.env.devices, id);
      if (device) yield device;
    }
  }
}
