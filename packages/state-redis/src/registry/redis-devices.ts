import type {
  Device,
  DeviceCredentials,
  DeviceDirectory,
  DeviceProfile,
  DeviceQuery,
  DeviceStep,
  DeviceStore,
  Page,
  ProfileInfo,
  ProfileQuery,
  ResolvedDevice,
  SessionChange,
  Uuid,
  Written,
} from '@tandem/core';
import type { Credentials } from './credentials';
import type { Devices } from './devices';
import type { Profiles } from './profiles';
import type { SessionChanges } from './session-changes';

export interface RegistryParts {
  readonly profiles: Profiles;
  readonly devices: Devices;
  readonly credentials: Credentials;
  readonly directory: DeviceDirectory;
  readonly changes: SessionChanges;
}

/** Devices, credentials and profiles of the registry as the port they are. */
export class RedisDevices implements DeviceStore {
  constructor(private readonly parts: RegistryParts) {}

  createProfile(profile: DeviceProfile): Promise<Written<DeviceProfile>> {
    return this.parts.profiles.create(profile);
  }

  updateProfile(profile: DeviceProfile): Promise<Written<DeviceProfile>> {
    return this.parts.profiles.update(profile);
  }

  getProfile(id: Uuid): Promise<DeviceProfile | undefined> {
    return this.parts.profiles.get(id);
  }

  getProfileInfo(id: Uuid): Promise<ProfileInfo | undefined> {
    return this.parts.profiles.getInfo(id);
  }

  findProfileByName(tenantId: Uuid, name: string): Promise<ProfileInfo | undefined> {
    return this.parts.profiles.findByName(tenantId, name);
  }

  findDefaultProfile(tenantId: Uuid): Promise<ProfileInfo | undefined> {
    return this.parts.profiles.findDefault(tenantId);
  }

  findProfileByProvisionKey(key: string): Promise<DeviceProfile | undefined> {
    return this.parts.profiles.findByProvisionKey(key);
  }

  listProfiles(tenantId: Uuid, query: ProfileQuery): Promise<Page<ProfileInfo>> {
    return this.parts.profiles.list(tenantId, query);
  }

  deleteProfile(id: Uuid): Promise<Written<DeviceProfile>> {
    return this.parts.profiles.delete(id);
  }

  createDevice(device: Device, credentials: DeviceCredentials, max?: number): Promise<Written<Device>> {
    return this.parts.devices.create(device, credentials, max);
  }

  updateDevice(device: Device): Promise<Written<Device>> {
    return this.parts.devices.update(device);
  }

  getDevice(id: Uuid): Promise<Device | undefined> {
    return this.parts.devices.get(id);
  }

  findDeviceByName(tenantId: Uuid, name: string): Promise<Device | undefined> {
    return this.parts.devices.findByName(tenantId, name);
  }

  listDevices(tenantId: Uuid, query: DeviceQuery): Promise<Page<Device>> {
    return this.parts.directory.list(tenantId, query);
  }

  devicesOfProfile(profileId: Uuid, cursor: string, limit: number): Promise<DeviceStep> {
    return this.parts.devices.ofProfile(profileId, cursor, limit);
  }

  deleteDevice(id: Uuid): Promise<Written<Device>> {
    return this.parts.devices.delete(id);
  }

  getCredentials(deviceId: Uuid): Promise<DeviceCredentials | undefined> {
    return this.parts.credentials.get(deviceId);
  }

  updateDeviceWithCredentials(device: Device, credentials: DeviceCredentials): Promise<Written<Device>> {
    return this.parts.devices.updateWithCredentials(device, credentials);
  }

  replaceSpoiltCredentials(credentials: DeviceCredentials): Promise<Written<DeviceCredentials>> {
    return this.parts.credentials.replaceSpoilt(credentials);
  }

  updateCredentials(credentials: DeviceCredentials): Promise<Written<DeviceCredentials>> {
    return this.parts.credentials.update(credentials);
  }

  resolveCredentials(credentialsId: string): Promise<ResolvedDevice | undefined> {
    return this.parts.credentials.resolve(credentialsId);
  }

  onSessionChange(listener: (change: SessionChange) => void): () => void {
    return this.parts.changes.onChange((change) => {
      if (change.kind !== 'user' && change.kind !== 'customer' && change.kind !== 'created') listener(change);
    });
  }
}
