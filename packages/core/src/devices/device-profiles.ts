import { TandemError } from '../errors';
import type { FirmwareAssignment } from '../firmware/firmware-assignment';
import type { Clock } from '../platform/clock';
import type { Random } from '../platform/random';
import { decideAgain } from '../state/decide-again';
import type { Conflict, DeviceStore, Page, ProfileQuery, Written } from '../state/device-store';
import { NO_COAP } from './coap-configuration';
import type { DeviceProfile, ProfileInfo, ProvisionType, TransportType, Uuid } from './model';
import { completeProfileData, DEFAULT_PROFILE_DATA, type ProfileDataLimits } from './profile-data';

const DEFAULT_PROFILE_NAME = 'default';
const MAX_NAME_LENGTH = 255;
/** How many names one answer holds at the most. */
const MAX_NAMES = 10_000;

/** What a caller gives to create or change a profile (server contract 4.2). Null is absent. */
export interface ProfileRequest {
  readonly id?: Uuid;
  readonly name?: string | null;
  readonly description?: string | null;
  readonly isDefault?: boolean | null;
  /** There is only one; it has to be named all the same. */
  readonly type?: 'DEFAULT' | null;
  readonly transportType?: TransportType | null;
  /** Absent means DISABLED. */
  readonly provisionType?: ProvisionType | null;
  readonly provisionDeviceKey?: string | null;
  /** An object as JSON text. */
  readonly profileData?: string | null;
  readonly firmwareId?: Uuid | null;
  readonly softwareId?: Uuid | null;
  readonly version?: number;
}

/** Device profiles of a tenant: which one a device gets, and what administrators do with them (server contract 3.2, 4). */
export class DeviceProfiles {
  constructor(
    private readonly store: DeviceStore,
    private readonly firmware: FirmwareAssignment,
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly limits: ProfileDataLimits,
  ) {}

  /**
   * By id; else the one whose name is the type, made if there is none; else the tenant's default.
   * @throws TandemError BAD_REQUEST
   */
  async forDevice(
    tenantId: Uuid,
    request: { readonly deviceProfileId?: Uuid; readonly type?: string | null },
  ): Promise<ProfileInfo> {
    if (request.deviceProfileId) {
      const profile = await this.store.getProfileInfo(request.deviceProfileId);
      if (profile?.tenantId === tenantId) return profile;
      throw refused('Device is referencing non existing device profile!');
    }
    return request.type ? this.#named(tenantId, request.type, false) : this.default(tenantId);
  }

  /** The tenant's default profile; made when the tenant has none yet. */
  async default(tenantId: Uuid): Promise<ProfileInfo> {
    return (await this.store.findDefaultProfile(tenantId)) ?? (await this.#named(tenantId, DEFAULT_PROFILE_NAME, true));
  }

  /** A foreign profile is as absent as one that never was. @throws TandemError NOT_FOUND */
  async get(tenantId: Uuid, id: Uuid): Promise<DeviceProfile> {
    const profile = await this.store.getProfile(id);
    if (profile?.tenantId === tenantId) return profile;
    throw absent(id);
  }

  /** Without its data. As `get`. */
  async getInfo(tenantId: Uuid, id: Uuid): Promise<ProfileInfo> {
    const profile = await this.store.getProfileInfo(id);
    if (profile?.tenantId === tenantId) return profile;
    throw absent(id);
  }

  list(tenantId: Uuid, query: ProfileQuery): Promise<Page<ProfileInfo>> {
    return this.store.listProfiles(tenantId, query);
  }

  /** With their data; what is gone by now is left out. */
  async wholes(infos: readonly ProfileInfo[]): Promise<DeviceProfile[]> {
    const found = await Promise.all(infos.map(({ id }) => this.store.getProfile(id)));
    return found.flatMap((profile) => profile ?? []);
  }

  /** In the order of their names. @param inUse those alone that a device refers to */
  async all(tenantId: Uuid, inUse: boolean): Promise<readonly ProfileInfo[]> {
    const query = { page: 0, pageSize: MAX_NAMES, sortProperty: 'name', sortOrder: 'ASC', inUse } as const;
    return (await this.store.listProfiles(tenantId, query)).data;
  }

  /**
   * Creates it, or changes the one of the id. Running sessions of its devices have heard of it when this resolves.
   * @throws TandemError BAD_REQUEST with the sentences of server contract 4.2 and 4.3, NOT_FOUND, VERSION_CONFLICT
   */
  async save(tenantId: Uuid, request: ProfileRequest): Promise<DeviceProfile> {
    const id = request.id ?? this.random.uuid();
    const result = await decideAgain(request.version, () => this.#save(tenantId, id, request));
    return written(result, id, request.provisionType ?? 'DISABLED');
  }

  async #save(tenantId: Uuid, id: Uuid, request: ProfileRequest): Promise<Written<DeviceProfile>> {
    const stored = request.id === undefined ? undefined : await this.get(tenantId, request.id);
    const given = {
      ...this.#given(request, stored),
      isDefault: request.isDefault === true || stored?.isDefault === true,
    };
    if (given.isDefault && !stored?.isDefault && (await this.store.findDefaultProfile(tenantId))) {
      throw refused('Another default device profile is present in scope of current tenant!');
    }
    if (stored) {
      const changed = { ...stored, ...given, version: request.version ?? stored.version };
      const update = () => this.store.updateProfile(changed);
      return this.firmware.saveProfile(stored, changed, update);
    }
    const created: DeviceProfile = {
      id,
      createdTime: this.clock.now(),
      tenantId,
      version: 1,
      ...given,
    };
    const create = () => this.store.createProfile(created);
    return this.firmware.saveProfile(undefined, created, create);
  }

  /** @throws TandemError NOT_FOUND, VERSION_CONFLICT when it is changed at the same time */
  async makeDefault(tenantId: Uuid, id: Uuid): Promise<DeviceProfile> {
    const stored = await this.get(tenantId, id);
    if (stored.isDefault) return stored;
    return written(await this.store.updateProfile({ ...stored, isDefault: true }), id, stored.provisionType);
  }

  /** @throws TandemError NOT_FOUND, BAD_REQUEST for the default and for one that a device refers to */
  async delete(tenantId: Uuid, id: Uuid): Promise<void> {
    const { isDefault } = await this.getInfo(tenantId, id);
    if (isDefault) throw refused('Deletion of Default Device Profile is prohibited!');
    const deleted = await this.store.deleteProfile(id);
    if (deleted.ok) return;
    if (deleted.conflict !== 'IN_USE') throw absent(id);
    throw refused('The device profile referenced by the devices cannot be deleted!');
  }

  #given(request: ProfileRequest, stored: DeviceProfile | undefined) {
    const { transportType, type, name } = request;
    if (!name?.trim()) throw refused('Device profile name should be specified!');
    if (name.length > MAX_NAME_LENGTH)
      throw refused(`Device profile name is longer than ${MAX_NAME_LENGTH} characters`);
    if (!type) throw refused('Device profile type should be specified!');
    if (!transportType) throw refused('Device profile transport type should be specified!');
    const provisionType = request.provisionType ?? 'DISABLED';
    return {
      name,
      description: request.description ?? null,
      transportType,
      provisionType,
      provisionDeviceKey: request.provisionDeviceKey || null,
      ...completeProfileData(request.profileData, { transportType, provisionType }, this.limits, stored),
      firmwareId: request.firmwareId ?? null,
      softwareId: request.softwareId ?? null,
    };
  }

  async #named(tenantId: Uuid, name: string, isDefault: boolean): Promise<ProfileInfo> {
    const existing = await this.store.findProfileByName(tenantId, name);
    if (existing) return existing;
    const created = await this.store.createProfile({
      id: this.random.uuid(),
      createdTime: this.clock.now(),
      tenantId,
      name,
      description: null,
      isDefault,
      transportType: 'DEFAULT',
      provisionType: 'DISABLED',
      provisionDeviceKey: null,
      profileData: DEFAULT_PROFILE_DATA,
      ...NO_COAP,
      firmwareId: null,
      softwareId: null,
      version: 1,
    });
    if (created.ok) return created.value;
    // Another request made it between the look-up and the write.
    const raced = await this.store.findProfileByName(tenantId, name);
    if (raced) return raced;
    throw new TandemError('INTERNAL');
  }
}

const refused = (message: string) => new TandemError('BAD_REQUEST', { message });
const absent = (id: Uuid) => new TandemError('NOT_FOUND', { message: `Device profile with id [${id}] is not found` });

const KEY_TAKEN = 'Device profile with such provision device key already exists!';
const CERTIFICATE_TAKEN = 'Device profile with such certificate already exists!';

const CONFLICTS: Partial<Record<Conflict, (id: Uuid, provisionType: ProvisionType) => TandemError>> = {
  NAME_TAKEN: () => refused('Device profile with such name already exists!'),
  PROVISION_KEY_TAKEN: (_id, type) => refused(type === 'X509_CERTIFICATE_CHAIN' ? CERTIFICATE_TAKEN : KEY_TAKEN),
  IN_USE: () => refused("Can't change device profile transport type because devices referenced it!"),
  PACKAGE_ABSENT: () => refused("Can't assign non-existent otaPackage!"),
  VERSION: () => new TandemError('VERSION_CONFLICT'),
  ABSENT: absent,
};

function written<T>(result: Written<T>, id: Uuid, provisionType: ProvisionType): T {
  if (result.ok) return result.value;
  throw CONFLICTS[result.conflict]?.(id, provisionType) ?? refused(result.conflict);
}
