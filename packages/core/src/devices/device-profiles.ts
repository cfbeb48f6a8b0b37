import { TandemError } from '../errors';
import type { Clock } from '../platform/clock';
import type { Random } from '../platform/random';
import type { DeviceStore, Page, PageQuery } from '../state/device-store';
import type { DeviceProfile, Uuid } from './model';

export const DEFAULT_PROFILE_NAME = 'default';

/** `profileData` of a profile that says nothing (server contract 4.2). */
export const DEFAULT_PROFILE_DATA = JSON.stringify({
  configuration: { type: 'DEFAULT' },
  transportConfiguration: { type: 'DEFAULT' },
  provisionConfiguration: { type: 'DISABLED', provisionDeviceSecret: null },
  alarms: null,
});

/** Which profile a device gets (server contract 3.2), and the one every tenant starts with. */
export class DeviceProfiles {
  constructor(
    private readonly store: DeviceStore,
    private readonly clock: Clock,
    private readonly random: Random,
  ) {}

  /**
   * By id; else the one whose name is the type, made if there is none; else the tenant's default.
   * @throws TandemError BAD_REQUEST
   */
  async forDevice(
    tenantId: Uuid,
    request: { readonly deviceProfileId?: Uuid; readonly type?: string | null },
  ): Promise<DeviceProfile> {
    if (request.deviceProfileId) {
      const profile = await this.store.getProfile(request.deviceProfileId);
      if (profile?.tenantId === tenantId) return profile;
      throw new TandemError('BAD_REQUEST', { message: 'Device is referencing non existing device profile!' });
    }
    return request.type ? this.#named(tenantId, request.type, false) : this.default(tenantId);
  }

  /** The tenant's default profile; made when the tenant has none yet. */
  async default(tenantId: Uuid): Promise<DeviceProfile> {
    return (await this.store.findDefaultProfile(tenantId)) ?? (await this.#named(tenantId, DEFAULT_PROFILE_NAME, true));
  }

  /** @throws TandemError NOT_FOUND */
  async get(tenantId: Uuid, id: Uuid): Promise<DeviceProfile> {
    const profile = await this.store.getProfile(id);
    if (profile?.tenantId === tenantId) return profile;
    throw new TandemError('NOT_FOUND', { message: `Device profile with id [${id}] is not found` });
  }

  list(tenantId: Uuid, query: PageQuery): Promise<Page<DeviceProfile>> {
    return this.store.listProfiles(tenantId, query);
  }

  async #named(tenantId: Uuid, name: string, isDefault: boolean): Promise<DeviceProfile> {
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
