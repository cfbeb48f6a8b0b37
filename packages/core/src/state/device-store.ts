import type { Device, DeviceCredentials, DeviceProfile, ProfileInfo, TransportType, Uuid } from '../devices/model';

/** Paging of server contract 1.3: pages from 0. */
export interface PageQuery {
  readonly pageSize: number;
  readonly page: number;
  /** Substring of the name, any letter case; where an entity has no name, of what its list says. */
  readonly textSearch?: string;
  readonly sortProperty?: string;
  readonly sortOrder?: 'ASC' | 'DESC';
}

export interface Page<T> {
  readonly data: readonly T[];
  readonly totalElements: number;
}

/** Which devices of a tenant. */
export interface DeviceFilter {
  /** Name of the profile; empty for any. */
  readonly type?: string;
  readonly deviceProfileId?: Uuid;
  readonly customerId?: Uuid;
}

export type DeviceQuery = PageQuery & DeviceFilter;

export interface ProfileQuery extends PageQuery {
  readonly transportType?: TransportType;
  /** Those alone that a device refers to. */
  readonly inUse?: boolean;
}

/** Some of the devices of a profile. */
export interface DeviceStep {
  readonly devices: readonly Device[];
  readonly cursor: string;
}

/** Everything a transport needs to know about who presented credentials: one read. */
export interface ResolvedDevice {
  readonly device: Device;
  readonly profile: ProfileInfo;
  readonly credentials: DeviceCredentials;
}

/** What a write ran into. A conflict changes nothing. */
export type Conflict =
  | 'NAME_TAKEN'
  | 'CREDENTIALS_TAKEN'
  | 'EMAIL_TAKEN'
  | 'PROVISION_KEY_TAKEN'
  | 'VERSION'
  | 'ABSENT'
  | 'IN_USE'
  | 'LIMIT'
  /** A package that is referred to is not there. */
  | 'PACKAGE_ABSENT';
export type Written<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly conflict: Conflict };

/** A change that running sessions and caches have to hear of. */
export type SessionChange =
  | { readonly kind: 'credentials'; readonly deviceId: Uuid }
  | { readonly kind: 'device'; readonly deviceId: Uuid }
  | { readonly kind: 'deleted'; readonly deviceId: Uuid }
  | { readonly kind: 'profile'; readonly profileId: Uuid }
  /** Changes may have gone by unheard, or the store is another one by now: whatever is known has to be read again. */
  | { readonly kind: 'missed' };

/**
 * Devices, credentials and profiles. Every method is one atomic step: a conflict, or a process that
 * dies in the middle, leaves nothing half written.
 *
 * Names and addresses have at most 255 characters: whoever calls has checked; a store that cannot keep a longer one
 * rejects with BAD_REQUEST and keeps nothing of the write.
 *
 * Versions: an entity is created with version 1, which the caller sets; an update must carry the stored version (else VERSION) and is stored
 * with version + 1.
 */
export interface DeviceStore {
  /**
   * NAME_TAKEN within the tenant, PROVISION_KEY_TAKEN over all. A profile saved as the default takes that flag from the
   * former default; it keeps it until another one takes it, also when it is saved without. PACKAGE_ABSENT as of devices.
   */
  createProfile(profile: DeviceProfile): Promise<Written<DeviceProfile>>;
  /**
   * A new name becomes the `type` of its devices in the same step. IN_USE when it has another transport type while a
   * device refers to it. Publishes `profile`.
   */
  updateProfile(profile: DeviceProfile): Promise<Written<DeviceProfile>>;
  getProfile(id: Uuid): Promise<DeviceProfile | undefined>;
  getProfileInfo(id: Uuid): Promise<ProfileInfo | undefined>;
  findProfileByName(tenantId: Uuid, name: string): Promise<ProfileInfo | undefined>;
  findDefaultProfile(tenantId: Uuid): Promise<ProfileInfo | undefined>;
  /** Over all tenants. Looked up by the SHA-256 of the key. */
  findProfileByProvisionKey(key: string): Promise<DeviceProfile | undefined>;
  listProfiles(tenantId: Uuid, query: ProfileQuery): Promise<Page<ProfileInfo>>;
  /** IN_USE while a device refers to it; ABSENT when there is none. Publishes `profile`. */
  deleteProfile(id: Uuid): Promise<Written<DeviceProfile>>;

  /**
   * Device and credentials together or not at all. NAME_TAKEN within the tenant, CREDENTIALS_TAKEN over all, ABSENT when
   * its profile is not there, PACKAGE_ABSENT when its firmware or software is not. A device made again with the id of a deleted one has an event log of another epoch.
   * @param max devices of the tenant: LIMIT when there are as many; 0 or left out: as many as there are
   */
  createDevice(device: Device, credentials: DeviceCredentials, max?: number): Promise<Written<Device>>;
  /** ABSENT also when its profile is not there; PACKAGE_ABSENT. Publishes `device`. */
  updateDevice(device: Device): Promise<Written<Device>>;
  getDevice(id: Uuid): Promise<Device | undefined>;
  findDeviceByName(tenantId: Uuid, name: string): Promise<Device | undefined>;
  /**
   * Shows every write that was acknowledged before the call, by whichever process. By creation, newest first, where no
   * order is asked for; devices that it does not tell apart are in the order of their names.
   */
  listDevices(tenantId: Uuid, query: DeviceQuery): Promise<Page<Device>>;
  /**
   * The devices of a profile step by step, in no particular order. One that is of the profile from the first step to the last
   * is given at least once. A step may give none though more follow.
   * @param cursor empty to begin with, then the one that the step before has given; good for any process, however much later
   * @param limit about how many devices a step looks at
   * @returns the cursor of the next step; empty at the end
   */
  devicesOfProfile(profileId: Uuid, cursor: string, limit: number): Promise<DeviceStep>;
  /**
   * Removes the device with all it had: credentials, attributes, events, cursor, RPCs, telemetry, also what of it still
   * waits in the log. Publishes `deleted`, and then wakes with `rpc` who watches the device, so that nobody waits for a
   * command that is gone.
   */
  deleteDevice(id: Uuid): Promise<Written<Device>>;

  getCredentials(deviceId: Uuid): Promise<DeviceCredentials | undefined>;
  /**
   * Puts credentials in the place of such as do not open, whose version nobody knows: `VERSION` where they do open.
   * The id of what was there before opens nothing any more.
   */
  replaceSpoiltCredentials(credentials: DeviceCredentials): Promise<Written<DeviceCredentials>>;
  /**
   * Both or neither, each by its own version. Conflicts as of `updateDevice` and `updateCredentials`. Publishes
   * `credentials` alone, which says more than `device`.
   */
  updateDeviceWithCredentials(device: Device, credentials: DeviceCredentials): Promise<Written<Device>>;
  /** CREDENTIALS_TAKEN when another device has them. Publishes `credentials`. */
  updateCredentials(credentials: DeviceCredentials): Promise<Written<DeviceCredentials>>;
  /** Looked up by the SHA-256 of the credentials id: the id itself is never a key of the store (design section 9). */
  resolveCredentials(credentialsId: string): Promise<ResolvedDevice | undefined>;

  /**
   * Heard in the order of the writes, before the write's promise resolves: in the process that writes, always, and in every
   * other process that answers in time (`TANDEM_REDIS_CHANGE_WAIT`). So whoever changed credentials, or what devices
   * speak, meets nothing of the old afterwards. A process that does not answer hears it as soon as it can. A change can be
   * read when it is heard. A conflict publishes nothing. A listener that throws harms neither the write nor other
   * listeners: it is logged.
   * @returns stops listening
   */
  onSessionChange(listener: (change: SessionChange) => void): () => void;
}
