import {
  credentialsHash,
  type Device,
  type DeviceCredentials,
  type DeviceFilter,
  type DeviceProfile,
  type DeviceStore,
  isWanted,
  type Page,
  type PageQuery,
  page,
  type ResolvedDevice,
  type SessionChange,
  type Uuid,
  type Written,
} from '@tandem/core';
import { removeActivity } from './activity-store';
import { conflict, fits, follow, get, isPresent, put, tooLong, versionConflict } from './entity-rows';
import type { BinaryTable, Environment } from './environment';
import type { EmbeddedEvents } from './event-log';
import { nameKey, prefixRange, uuidBytes } from './keys';
import { isRemoved } from './removals';
import type { EmbeddedRpcs } from './rpc-store';
import type { Transactions } from './transactions';
import type { ViewPurge } from './view-purge';
import type { WakeUps } from './wake-ups';

export class EmbeddedDevices implements DeviceStore {
  readonly #listeners = new Set<(change: SessionChange) => void>();

  constructor(
    private readonly env: Environment,
    private readonly transactions: Transactions,
    private readonly events: EmbeddedEvents,
    private readonly rpcs: EmbeddedRpcs,
    private readonly purge: ViewPurge,
    private readonly wakeUps: WakeUps,
    private readonly newEpoch: () => string,
  ) {}

  createProfile(profile: DeviceProfile): Promise<Written<DeviceProfile>> {
    return this.transactions.run(() => {
      if (isRemoved(this.env, profile.tenantId)) return conflict('ABSENT');
      if (this.env.profilesByName.doesExist(indexKey(profile))) return conflict('NAME_TAKEN');
      this.#putProfile(profile);
      return fits(profile);
    });
  }

  async updateProfile(profile: DeviceProfile): Promise<Written<DeviceProfile>> {
    const result = await this.transactions.run((): Written<DeviceProfile> => {
      const stored = get<DeviceProfile>(this.env.profiles, profile.id);
      const refused = versionConflict(stored, profile);
      if (refused || !stored) return conflict(refused ?? 'ABSENT');
      const taken = this.env.profilesByName.get(indexKey(profile));
      if (taken !== undefined && taken !== profile.id) return conflict('NAME_TAKEN');
      this.env.profilesByName.remove(indexKey(stored));
      const updated = { ...profile, isDefault: profile.isDefault || stored.isDefault, version: stored.version + 1 };
      this.#putProfile(updated);
      if (stored.name !== updated.name) {
        for (const device of [...this.#devicesOf(updated.id)]) put(this.env.devices, { ...device, type: updated.name });
      }
      return fits(updated);
    });
    if (result.ok) this.#tell({ kind: 'profile', profileId: profile.id });
    return result;
  }

  async getProfile(id: Uuid): Promise<DeviceProfile | undefined> {
    return get<DeviceProfile>(this.env.profiles, id);
  }

  async findProfileByName(tenantId: Uuid, name: string): Promise<DeviceProfile | undefined> {
    return follow<DeviceProfile>(this.env.profiles, lookUp(this.env.profilesByName, tenantId, name));
  }

  async findDefaultProfile(tenantId: Uuid): Promise<DeviceProfile | undefined> {
    return follow<DeviceProfile>(this.env.profiles, this.env.defaultProfiles.get(tenantId));
  }

  async listProfiles(tenantId: Uuid, query: PageQuery): Promise<Page<DeviceProfile>> {
    const ids = this.env.profilesByName.getRange(prefixRange(uuidBytes(tenantId))).map(({ value }) => value);
    return page([...ids].map((id) => get<DeviceProfile>(this.env.profiles, id)).filter(isPresent), query);
  }

  deleteProfile(id: Uuid): Promise<Written<DeviceProfile>> {
    return this.transactions.run((): Written<DeviceProfile> => {
      const stored = get<DeviceProfile>(this.env.profiles, id);
      if (!stored) return conflict('ABSENT');
      if (this.#devicesOf(id).next().done !== true) return conflict('IN_USE');
      this.env.profiles.remove(id);
      this.env.profilesByName.remove(indexKey(stored));
      if (this.env.defaultProfiles.get(stored.tenantId) === id) this.env.defaultProfiles.remove(stored.tenantId);
      return fits(stored);
    });
  }

  createDevice(device: Device, credentials: DeviceCredentials): Promise<Written<Device>> {
    return this.transactions.run(() => {
      const hash = credentialsHash(credentials.credentialsId);
      if (isRemoved(this.env, device.tenantId, device.customerId)) return conflict('ABSENT');
      if (!this.env.profiles.doesExist(device.deviceProfileId)) return conflict('ABSENT');
      if (this.env.devicesByName.doesExist(indexKey(device))) return conflict('NAME_TAKEN');
      if (this.env.credentialsByHash.doesExist(hash)) return conflict('CREDENTIALS_TAKEN');
      this.#putDevice(device);
      this.env.credentials.put(device.id, JSON.stringify(credentials));
      this.env.credentialsByHash.put(hash, device.id);
      this.events.begin(device.id, this.newEpoch());
      return fits(device);
    });
  }

  async updateDevice(device: Device): Promise<Written<Device>> {
    const result = await this.transactions.run((): Written<Device> => {
      const stored = get<Device>(this.env.devices, device.id);
      const refused = versionConflict(stored, device);
      if (refused || !stored) return conflict(refused ?? 'ABSENT');
      if (!this.env.profiles.doesExist(device.deviceProfileId)) return conflict('ABSENT');
      if (stored.customerId !== device.customerId && isRemoved(this.env, device.customerId)) return conflict('ABSENT');
      const taken = this.env.devicesByName.get(indexKey(device));
      if (taken !== undefined && taken !== device.id) return conflict('NAME_TAKEN');
      this.#removeDevice(stored);
      const updated = { ...device, version: stored.version + 1 };
      this.#putDevice(updated);
      return fits(updated);
    });
    if (result.ok) this.#tell({ kind: 'device', deviceId: device.id });
    return result;
  }

  async getDevice(id: Uuid): Promise<Device | undefined> {
    return get<Device>(this.env.devices, id);
  }

  async findDeviceByName(tenantId: Uuid, name: string): Promise<Device | undefined> {
    return follow<Device>(this.env.devices, lookUp(this.env.devicesByName, tenantId, name));
  }

  async listDevices(tenantId: Uuid, query: PageQuery & DeviceFilter): Promise<Page<Device>> {
    const ids = this.env.devicesByName.getRange(prefixRange(uuidBytes(tenantId))).map(({ value }) => value);
    const devices = [...ids].map((id) => get<Device>(this.env.devices, id)).filter(isPresent);
    return page(
      devices.filter((device) => isWanted(device, query)),
      query,
    );
  }

  async deleteDevice(id: Uuid): Promise<Written<Device>> {
    const result = await this.transactions.run((): Written<Device> => {
      const stored = get<Device>(this.env.devices, id);
      if (!stored) return conflict('ABSENT');
      const credentials = this.#credentials(id);
      this.#removeDevice(stored);
      this.env.credentials.remove(id);
      if (credentials) this.env.credentialsByHash.remove(credentialsHash(credentials.credentialsId));
      this.#removeStateOf(id);
      return fits(stored);
    });
    if (result.ok) {
      this.events.forget(id);
      this.#tell({ kind: 'deleted', deviceId: id });
      this.wakeUps.wake(id, 'rpc');
      await this.purge.run(id);
    }
    return result;
  }

  async getCredentials(deviceId: Uuid): Promise<DeviceCredentials | undefined> {
    return this.#credentials(deviceId);
  }

  async updateCredentials(credentials: DeviceCredentials): Promise<Written<DeviceCredentials>> {
    const result = await this.transactions.run((): Written<DeviceCredentials> => {
      const stored = this.#credentials(credentials.deviceId);
      const refused = versionConflict(stored, credentials);
      if (refused || !stored) return conflict(refused ?? 'ABSENT');
      const hash = credentialsHash(credentials.credentialsId);
      const holder = this.env.credentialsByHash.get(hash);
      if (holder !== undefined && holder !== credentials.deviceId) return conflict('CREDENTIALS_TAKEN');
      const updated = { ...credentials, version: stored.version + 1 };
      this.env.credentialsByHash.remove(credentialsHash(stored.credentialsId));
      this.env.credentialsByHash.put(hash, credentials.deviceId);
      this.env.credentials.put(credentials.deviceId, JSON.stringify(updated));
      return fits(updated);
    });
    if (result.ok) this.#tell({ kind: 'credentials', deviceId: credentials.deviceId });
    return result;
  }

  async resolveCredentials(credentialsId: string): Promise<ResolvedDevice | undefined> {
    const deviceId = this.env.credentialsByHash.get(credentialsHash(credentialsId));
    const device = follow<Device>(this.env.devices, deviceId);
    const credentials = device && this.#credentials(device.id);
    const profile = device && get<DeviceProfile>(this.env.profiles, device.deviceProfileId);
    return device && credentials && profile ? { device, credentials, profile } : undefined;
  }

  onSessionChange(listener: (change: SessionChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #putProfile(profile: DeviceProfile): void {
    const former = this.env.defaultProfiles.get(profile.tenantId);
    if (profile.isDefault && former !== profile.id) {
      const displaced = follow<DeviceProfile>(this.env.profiles, former);
      if (displaced) put(this.env.profiles, { ...displaced, isDefault: false });
      this.env.defaultProfiles.put(profile.tenantId, profile.id);
    }
    put(this.env.profiles, profile);
    this.env.profilesByName.put(indexKey(profile), profile.id);
  }

  #putDevice(device: Device): void {
    put(this.env.devices, device);
    this.env.devicesByName.put(indexKey(device), device.id);
    this.env.devicesByProfile.put(profileKey(device), device.id);
  }

  #removeDevice(device: Device): void {
    this.env.devices.remove(device.id);
    this.env.devicesByName.remove(indexKey(device));
    this.env.devicesByProfile.remove(profileKey(device));
  }

  *#devicesOf(profileId: Uuid): Generator<Device> {
    for (const { value: id } of this.env.devicesByProfile.getRange(prefixRange(uuidBytes(profileId)))) {
      const device = get<Device>(this.env.devices, id);
      if (device) yield device;
    }
  }

  #credentials(deviceId: Uuid): DeviceCredentials | undefined {
    return get<DeviceCredentials>(this.env.credentials, deviceId);
  }

  #removeStateOf(id: Uuid): void {
    const rows = prefixRange(uuidBytes(id));
    const { attributes, events } = this.env;
    this.rpcs.removeAll(id);
    removeActivity(this.env, id);
    for (const table of [attributes, events]) {
      for (const key of [...table.getKeys(rows)]) table.remove(key);
    }
    this.env.eventHeads.remove(id);
    this.env.cursors.remove(id);
    this.env.purges.put(id, '');
  }

  #tell(change: SessionChange): void {
    for (const listener of [...this.#listeners]) if (this.#listeners.has(listener)) listener(change);
  }
}

/** A name that is too long to be a key cannot be in the index. */
function lookUp(index: BinaryTable, tenantId: Uuid, name: string): string | undefined {
  const key = nameKey(tenantId, name);
  return key && index.get(key);
}

/** @throws TandemError BAD_REQUEST for a name that is too long to be stored */
function indexKey({ tenantId, name }: { readonly tenantId: Uuid; readonly name: string }): Buffer {
  const key = nameKey(tenantId, name);
  if (!key) throw tooLong('name');
  return key;
}

const profileKey = ({ deviceProfileId, id }: Device) => Buffer.concat([uuidBytes(deviceProfileId), uuidBytes(id)]);
