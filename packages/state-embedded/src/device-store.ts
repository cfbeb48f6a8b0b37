import {
  type Conflict,
  credentialsHash,
  type Device,
  type DeviceCredentials,
  type DeviceDirectory,
  type DeviceProfile,
  type DeviceQuery,
  type DeviceStep,
  type DeviceStore,
  type Logger,
  type Page,
  type ProfileInfo,
  type ProfileQuery,
  type ResolvedDevice,
  type SealedRecords,
  type SessionChange,
  TandemError,
  tellAll,
  type Uuid,
  type Written,
} from '@tandem/core';
import { removeActivity } from './activity-store';
import { DeviceCounts } from './device-counts';
import { conflict, fits, follow, get, indexKey, lookUp, put, versionConflict } from './entity-rows';
import type { Environment } from './environment';
import type { EmbeddedEvents } from './event-log';
import { prefixRange, uuidBytes } from './keys';
import { PackageUses } from './package-uses';
import { EmbeddedProfiles } from './profiles';
import { isRemoved } from './removals';
import type { EmbeddedRpcs } from './rpc-store';
import type { Transactions } from './transactions';
import type { ViewPurge } from './view-purge';
import type { WakeUps } from './wake-ups';

export interface Also {
  conflict(): Conflict | undefined;
  write(): void;
}

export class EmbeddedDevices implements DeviceStore {
  readonly #packages: PackageUses;
  readonly #counts: DeviceCounts;
  readonly #listeners = new Set<(change: SessionChange) => void>();
  readonly #profiles: EmbeddedProfiles;

  constructor(
    private readonly env: Environment,
    private readonly transactions: Transactions,
    private readonly events: EmbeddedEvents,
    private readonly rpcs: EmbeddedRpcs,
    private readonly purge: ViewPurge,
    private readonly wakeUps: WakeUps,
    private readonly directory: DeviceDirectory,
    private readonly records: SealedRecords,
    private readonly newEpoch: () => string,
    private readonly logger: Logger,
  ) {
    this.#packages = new PackageUses(env);
    this.#counts = new DeviceCounts(env);
    this.#profiles = new EmbeddedProfiles(env, transactions, records, (change) => this.#tell(change));
    this.onSessionChange((change) => {
      if (change.kind === 'profile') directory.profileChanged(change.profileId);
      else if (change.kind !== 'missed') directory.deviceChanged(change.deviceId);
    });
  }

  createProfile(profile: DeviceProfile): Promise<Written<DeviceProfile>> {
    return this.#profiles.create(profile);
  }

  updateProfile(profile: DeviceProfile): Promise<Written<DeviceProfile>> {
    return this.#profiles.update(profile);
  }

  async getProfile(id: Uuid): Promise<DeviceProfile | undefined> {
    return this.#profiles.get(id);
  }

  async getProfileInfo(id: Uuid): Promise<ProfileInfo | undefined> {
    return this.#profiles.getInfo(id);
  }

  async findProfileByName(tenantId: Uuid, name: string): Promise<ProfileInfo | undefined> {
    return this.#profiles.findByName(tenantId, name);
  }

  async findDefaultProfile(tenantId: Uuid): Promise<ProfileInfo | undefined> {
    return this.#profiles.findDefault(tenantId);
  }

  async findProfileByProvisionKey(key: string): Promise<DeviceProfile | undefined> {
    return this.#profiles.findByProvisionKey(key);
  }

  async listProfiles(tenantId: Uuid, query: ProfileQuery): Promise<Page<ProfileInfo>> {
    return this.#profiles.list(tenantId, query);
  }

  deleteProfile(id: Uuid): Promise<Written<DeviceProfile>> {
    return this.#profiles.delete(id);
  }

  async createDevice(device: Device, credentials: DeviceCredentials, max = 0): Promise<Written<Device>> {
    const result = await this.#counting((): Written<Device> => {
      const hash = credentialsHash(credentials.credentialsId);
      if (isRemoved(this.env, device.tenantId, device.customerId)) return conflict('ABSENT');
      if (!this.env.profiles.doesExist(device.deviceProfileId)) return conflict('ABSENT');
      if (!this.#packages.sound(device)) return conflict('PACKAGE_ABSENT');
      if (this.env.devicesByName.doesExist(indexKey(device))) return conflict('NAME_TAKEN');
      if (this.env.credentialsByHash.doesExist(hash)) return conflict('CREDENTIALS_TAKEN');
      if (max > 0 && this.#counts.of(device.tenantId) >= max) return conflict('LIMIT');
      this.#putDevice(device);
      this.#counts.add(device.tenantId, 1);
      this.#putCredentials({ ...credentials, deviceId: device.id });
      this.env.credentialsByHash.put(hash, device.id);
      this.events.begin(device.id, this.newEpoch());
      return fits(device);
    });
    if (result.ok) this.directory.deviceChanged(device.id);
    return result;
  }

  updateDevice(device: Device): Promise<Written<Device>> {
    return this.updateWith(device);
  }

  /** @param also what else belongs to the step: what it may run into, and what is written when it does not */
  async updateWith(device: Device, also?: Also): Promise<Written<Device>> {
    const result = await this.transactions.run((): Written<Device> => {
      const change = this.#deviceChange(device);
      if (typeof change === 'string') return conflict(change);
      const refused = also?.conflict();
      if (refused) return conflict(refused);
      also?.write();
      return fits(change());
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

  listDevices(tenantId: Uuid, query: DeviceQuery): Promise<Page<Device>> {
    return this.directory.list(tenantId, query);
  }

  async devicesOfProfile(profileId: Uuid, cursor: string, limit: number): Promise<DeviceStep> {
    const { start, end } = prefixRange(uuidBytes(profileId));
    const after = cursor === '' ? start : profileKey({ deviceProfileId: profileId, id: cursor });
    const rows = this.env.devicesByProfile.getRange({ start: after, exclusiveStart: cursor !== '', end, limit });
    const ids = [...rows.map(({ value }) => value)];
    const devices = ids.flatMap((id) => get<Device>(this.env.devices, id) ?? []);
    return { devices, cursor: ids.length < limit ? '' : (ids.at(-1) ?? '') };
  }

  async deleteDevice(id: Uuid): Promise<Written<Device>> {
    const result = await this.#counting((): Written<Device> => {
      const stored = get<Device>(this.env.devices, id);
      if (!stored) return conflict('ABSENT');
      const credentials = this.#credentialsIfSound(id);
      this.#removeDevice(stored);
      this.#counts.add(stored.tenantId, -1);
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

  async updateDeviceWithCredentials(device: Device, credentials: DeviceCredentials): Promise<Written<Device>> {
    const result = await this.transactions.run((): Written<Device> => {
      const change = this.#deviceChange(device);
      if (typeof change === 'string') return conflict(change);
      const credentialsChange = this.#credentialsChange({ ...credentials, deviceId: device.id });
      if (typeof credentialsChange === 'string') return conflict(credentialsChange);
      credentialsChange();
      return fits(change());
    });
    if (result.ok) this.#tell({ kind: 'credentials', deviceId: device.id });
    return result;
  }

  async updateCredentials(credentials: DeviceCredentials): Promise<Written<DeviceCredentials>> {
    const result = await this.transactions.run((): Written<DeviceCredentials> => {
      const change = this.#credentialsChange(credentials);
      return typeof change === 'string' ? conflict(change) : fits(change());
    });
    if (result.ok) this.#tell({ kind: 'credentials', deviceId: credentials.deviceId });
    return result;
  }

  async replaceSpoiltCredentials(credentials: DeviceCredentials): Promise<Written<DeviceCredentials>> {
    const { deviceId } = credentials;
    const hash = credentialsHash(credentials.credentialsId);
    const result = await this.transactions.run((): Written<DeviceCredentials> => {
      const text = this.env.credentials.get(deviceId);
      if (text === undefined) return conflict('ABSENT');
      if (this.records.replaceableCredentials(deviceId, text)) return conflict('VERSION');
      const holder = this.env.credentialsByHash.get(hash);
      if (holder !== undefined && holder !== deviceId) return conflict('CREDENTIALS_TAKEN');
      this.env.credentialsByHash.put(hash, deviceId);
      this.#putCredentials(credentials);
      return fits(credentials);
    });
    if (result.ok) this.#tell({ kind: 'credentials', deviceId });
    return result;
  }

  async resolveCredentials(credentialsId: string): Promise<ResolvedDevice | undefined> {
    const deviceId = this.env.credentialsByHash.get(credentialsHash(credentialsId));
    const device = follow<Device>(this.env.devices, deviceId);
    const credentials = device && this.#credentials(device.id);
    const profile = device && this.#profiles.getInfo(device.deviceProfileId);
    // Of credentials that did not open and were replaced the hash is still there.
    if (credentials?.credentialsId !== credentialsId) return undefined;
    return device && profile ? { device, credentials, profile } : undefined;
  }

  onSessionChange(listener: (change: SessionChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What the update runs into, or what makes it: all checks before the first write. */
  #deviceChange(device: Device): Conflict | (() => Device) {
    const stored = get<Device>(this.env.devices, device.id);
    const refused = versionConflict(stored, device);
    if (refused || !stored) return refused ?? 'ABSENT';
    if (!this.env.profiles.doesExist(device.deviceProfileId)) return 'ABSENT';
    if (stored.customerId !== device.customerId && isRemoved(this.env, device.customerId)) return 'ABSENT';
    if (!this.#packages.sound(device)) return 'PACKAGE_ABSENT';
    const taken = this.env.devicesByName.get(indexKey(device));
    if (taken !== undefined && taken !== device.id) return 'NAME_TAKEN';
    return () => {
      this.#removeDevice(stored);
      const updated = { ...device, version: stored.version + 1 };
      this.#putDevice(updated);
      return updated;
    };
  }

  /** As `#deviceChange`. */
  #credentialsChange(credentials: DeviceCredentials): Conflict | (() => DeviceCredentials) {
    const { deviceId } = credentials;
    const stored = this.#credentials(deviceId);
    const refused = versionConflict(stored, credentials);
    if (refused || !stored) return refused ?? 'ABSENT';
    const hash = credentialsHash(credentials.credentialsId);
    const holder = this.env.credentialsByHash.get(hash);
    if (holder !== undefined && holder !== deviceId) return 'CREDENTIALS_TAKEN';
    return () => {
      const updated = { ...credentials, version: stored.version + 1 };
      this.env.credentialsByHash.remove(credentialsHash(stored.credentialsId));
      this.env.credentialsByHash.put(hash, deviceId);
      this.#putCredentials(updated);
      return updated;
    };
  }

  /** A step that adds a device or takes one away. */
  async #counting<T>(step: () => T): Promise<T> {
    try {
      return await this.transactions.run(step);
    } catch (error) {
      // What of it is stored, nobody knows.
      this.#counts.forget();
      throw error;
    }
  }

  #putDevice(device: Device): void {
    put(this.env.devices, device);
    this.#packages.add(device);
    this.env.devicesByName.put(indexKey(device), device.id);
    this.env.devicesByProfile.put(profileKey(device), device.id);
  }

  #removeDevice(device: Device): void {
    this.env.devices.remove(device.id);
    this.#packages.remove(device);
    this.env.devicesByName.remove(indexKey(device));
    this.env.devicesByProfile.remove(profileKey(device));
  }

  #credentials(deviceId: Uuid): DeviceCredentials | undefined {
    const text = this.env.credentials.get(deviceId);
    return text === undefined ? undefined : this.records.credentials(deviceId, text);
  }

  /** What is spoilt must not keep the device from being deleted: only the hash stays, which finds nothing then. */
  #credentialsIfSound(deviceId: Uuid): DeviceCredentials | undefined {
    try {
      return this.#credentials(deviceId);
    } catch (error) {
      if (!(error instanceof TandemError) || error.code !== 'INTERNAL') throw error;
      this.logger.error('a device is deleted whose credentials do not open', { deviceId, error: String(error) });
      return undefined;
    }
  }

  #putCredentials(credentials: DeviceCredentials): void {
    this.env.credentials.put(credentials.deviceId, this.records.credentialsText(credentials));
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
    this.env.claims.remove(id);
    this.env.purges.put(id, '');
  }

  #tell(change: SessionChange): void {
    tellAll(this.#listeners, change, this.logger);
  }
}

const profileKey = ({ deviceProfileId, id }: Pick<Device, 'deviceProfileId' | 'id'>) =>
  Buffer.concat([uuidBytes(deviceProfileId), uuidBytes(id)]);
