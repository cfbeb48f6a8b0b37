import { TandemError } from '../errors';
import type { FirmwareAssignment } from '../firmware/firmware-assignment';
import type { Clock } from '../platform/clock';
import type { Random } from '../platform/random';
import type { AccountStore } from '../state/account-store';
import { decideAgain } from '../state/decide-again';
import type { Conflict, DeviceQuery, DeviceStore, Page, Written } from '../state/device-store';
import {
  type CredentialsContent,
  type CredentialsRequest,
  credentialsContent,
  newCredentials,
} from './device-credentials';
import type { DeviceLimit } from './device-limit';
import type { DeviceProfiles } from './device-profiles';
import type { Device, DeviceCredentials, ProfileInfo, Uuid } from './model';
import { NULL_UUID } from './model';
import { isStorableText, STORABLE_SENTENCE } from './storable-text';

/** What a caller gives to create or change a device (server contract 3.2). */
export interface DeviceRequest {
  readonly id?: Uuid;
  readonly name: string;
  readonly type?: string | null;
  readonly label?: string | null;
  readonly deviceProfileId?: Uuid;
  /** NULL_UUID for nobody; where left out, a new device is assigned to nobody and another one stays with whom it is. */
  readonly customerId?: Uuid;
  /** An object as compact JSON text. */
  readonly additionalInfo?: string | null;
  /** Package of its own; none where left out. */
  readonly firmwareId?: Uuid;
  readonly softwareId?: Uuid;
  readonly version?: number;
}

/** Devices and their credentials within a tenant. A foreign device is as absent as one that never was. */
export class Devices {
  constructor(
    private readonly store: DeviceStore,
    private readonly profiles: DeviceProfiles,
    private readonly firmware: FirmwareAssignment,
    private readonly accounts: Pick<AccountStore, 'getCustomer'>,
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly limit: DeviceLimit,
    /** `TANDEM_COAP_DTLS_PSK` */
    private readonly preSharedKeys: boolean,
  ) {}

  /**
   * @param credentials an absent token becomes 20 random letters and digits
   * @throws TandemError BAD_REQUEST with the sentences of server contract 3.2 and 3.3
   */
  async create(tenantId: Uuid, request: DeviceRequest, credentials: CredentialsRequest = {}): Promise<Device> {
    return this.createWith(tenantId, request, newCredentials(credentials, this.random));
  }

  /** With credentials that are in order. As `create`. */
  async createWith(tenantId: Uuid, request: DeviceRequest, credentials: CredentialsContent): Promise<Device> {
    this.#requireTaken(credentials);
    const name = requireName(request.name);
    const profile = await this.profiles.forDevice(tenantId, request);
    const now = this.clock.now();
    const device: Device = {
      id: this.random.uuid(),
      createdTime: now,
      tenantId,
      customerId: await this.#requireCustomer(tenantId, request.customerId ?? NULL_UUID),
      name,
      type: profile.name,
      label: request.label ?? null,
      deviceProfileId: profile.id,
      additionalInfo: request.additionalInfo ?? null,
      firmwareId: request.firmwareId ?? null,
      softwareId: request.softwareId ?? null,
      version: 1,
    };
    const own: DeviceCredentials = {
      id: this.random.uuid(),
      createdTime: now,
      deviceId: device.id,
      ...credentials,
      version: 1,
    };
    const { max } = this.limit;
    const saved = await this.#save({ after: device, profile }, () => this.store.createDevice(device, own, max));
    if (!saved.ok && saved.conflict === 'LIMIT') throw this.limit.refusal();
    return written(saved);
  }

  /** @throws TandemError BAD_REQUEST, NOT_FOUND, VERSION_CONFLICT for a version that is not the device's */
  async update(tenantId: Uuid, request: DeviceRequest & { readonly id: Uuid }): Promise<Device> {
    const result = await decideAgain(request.version, async () => {
      const change = await this.#changed(tenantId, request);
      return this.#save(change, () => this.store.updateDevice(change.after));
    });
    return written(result);
  }

  /**
   * Device and credentials or neither. Open sessions of the device end with this.
   * @throws TandemError BAD_REQUEST, NOT_FOUND, VERSION_CONFLICT
   */
  async updateWithCredentials(
    tenantId: Uuid,
    request: DeviceRequest & { readonly id: Uuid },
    credentials: CredentialsRequest & { readonly version?: number },
  ): Promise<Device> {
    const result = await decideAgain(request.version ?? credentials.version, async () => {
      const stored = await this.credentials(tenantId, request.id);
      const content = this.#requireTaken(credentialsContent(credentials));
      const change = await this.#changed(tenantId, request);
      const version = credentials.version ?? stored.version;
      const own = { ...stored, ...content, version };
      return this.#save(change, () => this.store.updateDeviceWithCredentials(change.after, own));
    });
    return written(result);
  }

  /** @throws TandemError NOT_FOUND */
  async get(tenantId: Uuid, id: Uuid): Promise<Device> {
    const device = await this.store.getDevice(id);
    if (device?.tenantId !== tenantId) throw absent(id);
    return device;
  }

  /** @throws TandemError NOT_FOUND */
  async findByName(tenantId: Uuid, name: string): Promise<Device> {
    const device = await this.store.findDeviceByName(tenantId, name);
    if (!device) throw new TandemError('NOT_FOUND');
    return device;
  }

  find(tenantId: Uuid, name: string): Promise<Device | undefined> {
    return this.store.findDeviceByName(tenantId, name);
  }

  /** Those that are there, in the order of the ids. */
  async findAll(tenantId: Uuid, ids: readonly Uuid[]): Promise<Device[]> {
    const found = await Promise.all([...new Set(ids)].map((id) => this.store.getDevice(id)));
    return found.flatMap((device) => (device?.tenantId === tenantId ? device : []));
  }

  list(tenantId: Uuid, query: DeviceQuery): Promise<Page<Device>> {
    return this.store.listDevices(tenantId, query);
  }

  /** @param customerId of the tenant. @throws TandemError NOT_FOUND, also for the customer */
  async assign(tenantId: Uuid, id: Uuid, customerId: Uuid): Promise<Device> {
    if (!(await this.#isCustomer(tenantId, customerId))) throw absentCustomer(customerId);
    return this.#hand(tenantId, id, customerId);
  }

  /** @throws TandemError NOT_FOUND, BAD_REQUEST when it is assigned to nobody */
  async unassign(tenantId: Uuid, id: Uuid): Promise<Device> {
    const { customerId } = await this.get(tenantId, id);
    if (customerId === NULL_UUID) {
      throw new TandemError('BAD_REQUEST', { message: "Device isn't assigned to any customer!" });
    }
    return this.#hand(tenantId, id, NULL_UUID);
  }

  /** @throws TandemError NOT_FOUND */
  async delete(tenantId: Uuid, id: Uuid): Promise<void> {
    await this.get(tenantId, id);
    const deleted = await this.store.deleteDevice(id);
    if (!deleted.ok) throw absent(id);
  }

  /** Nobody is to believe that a device can come with what no door takes. */
  #requireTaken(content: CredentialsContent): CredentialsContent {
    if (content.credentialsType !== 'PSK' || this.preSharedKeys) return content;
    throw new TandemError('BAD_REQUEST', {
      message: 'Pre-shared keys are switched off on this server: TANDEM_COAP_DTLS_PSK=true lets devices have them',
    });
  }

  /** @throws TandemError NOT_FOUND */
  async credentials(tenantId: Uuid, deviceId: Uuid): Promise<DeviceCredentials> {
    await this.get(tenantId, deviceId);
    const credentials = await this.store.getCredentials(deviceId);
    if (!credentials) throw absent(deviceId);
    return credentials;
  }

  /** Open sessions of the device end with this (server contract 3.3). @throws TandemError BAD_REQUEST, NOT_FOUND */
  async updateCredentials(
    tenantId: Uuid,
    deviceId: Uuid,
    request: CredentialsRequest & { readonly version?: number },
  ): Promise<DeviceCredentials> {
    const result = await decideAgain(request.version, async () => {
      const stored = await this.credentialsIfSound(tenantId, deviceId);
      if (!stored) {
        const content = this.#requireTaken(credentialsContent(request));
        return this.store.replaceSpoiltCredentials({
          id: this.random.uuid(),
          createdTime: this.clock.now(),
          deviceId,
          ...content,
          version: 1,
        });
      }
      const content = this.#requireTaken(credentialsContent(request));
      const version = request.version ?? stored.version;
      return this.store.updateCredentials({ ...stored, ...content, version });
    });
    return written(result);
  }

  /** Undefined where they do not open: nothing of them can be known, and yet they can be replaced. */
  async credentialsIfSound(tenantId: Uuid, deviceId: Uuid): Promise<DeviceCredentials | undefined> {
    try {
      return await this.credentials(tenantId, deviceId);
    } catch (error) {
      if (!(error instanceof TandemError) || error.code !== 'INTERNAL') throw error;
      return undefined;
    }
  }

  /** Whatever else of the device is changed by others at the same time. */
  async #hand(tenantId: Uuid, id: Uuid, customerId: Uuid): Promise<Device> {
    const result = await decideAgain(undefined, async () => {
      const stored = await this.get(tenantId, id);
      if (stored.customerId === customerId) return { ok: true, value: stored };
      return this.store.updateDevice({ ...stored, customerId });
    });
    return written(result);
  }

  async #isCustomer(tenantId: Uuid, customerId: Uuid): Promise<boolean> {
    return (await this.accounts.getCustomer(customerId))?.tenantId === tenantId;
  }

  /** @throws TandemError BAD_REQUEST */
  async #requireCustomer(tenantId: Uuid, customerId: Uuid): Promise<Uuid> {
    if (customerId === NULL_UUID || (await this.#isCustomer(tenantId, customerId))) return customerId;
    throw new TandemError('BAD_REQUEST', { message: "Can't assign device to non-existent customer!" });
  }

  /** With what it means for the firmware and software of the device. */
  #save({ before, after, profile }: Change, write: () => Promise<Written<Device>>): Promise<Written<Device>> {
    return this.firmware.saveDevice(before, after, profile, write);
  }

  async #changed(tenantId: Uuid, request: DeviceRequest & { readonly id: Uuid }): Promise<Change> {
    const stored = await this.store.getDevice(request.id);
    if (stored?.tenantId !== tenantId) throw absent(request.id);
    const profile = await this.profiles.forDevice(tenantId, { ...request, type: request.type ?? stored.type });
    const customerId = await this.#requireCustomer(tenantId, request.customerId ?? stored.customerId);
    const after: Device = {
      ...stored,
      customerId,
      name: requireName(request.name),
      type: profile.name,
      deviceProfileId: profile.id,
      label: request.label ?? null,
      additionalInfo: request.additionalInfo ?? null,
      firmwareId: request.firmwareId ?? null,
      softwareId: request.softwareId ?? null,
      version: request.version ?? stored.version,
    };
    return { before: stored, after, profile };
  }
}

/** A device as it was and as it will be, and the profile that it will have. */
interface Change {
  /** None for a new one. */
  readonly before?: Device;
  readonly after: Device;
  readonly profile: ProfileInfo;
}

function requireName(name: unknown): string {
  if (typeof name !== 'string' || name.trim() === '') {
    throw new TandemError('BAD_REQUEST', { message: 'Device name should be specified!' });
  }
  if (!isStorableText(name)) throw new TandemError('BAD_REQUEST', { message: `Device name ${STORABLE_SENTENCE}` });
  if (name.length > 255) throw new TandemError('BAD_REQUEST', { message: 'Device name is longer than 255 characters' });
  return name;
}

const absentCustomer = (id: Uuid) => new TandemError('NOT_FOUND', { message: `Customer with id [${id}] is not found` });
const absent = (id: Uuid) => new TandemError('NOT_FOUND', { message: `Device with id [${id}] is not found` });

const CONFLICTS: Partial<Record<Conflict, () => TandemError>> = {
  NAME_TAKEN: () => new TandemError('BAD_REQUEST', { message: 'Device with such name already exists!' }),
  CREDENTIALS_TAKEN: () => new TandemError('BAD_REQUEST', { message: 'Specified credentials are already registered!' }),
  PACKAGE_ABSENT: () => new TandemError('BAD_REQUEST', { message: "Can't assign non-existent otaPackage!" }),
  VERSION: () => new TandemError('VERSION_CONFLICT'),
  ABSENT: () => new TandemError('NOT_FOUND'),
};

function written<T>(result: Written<T>): T {
  if (result.ok) return result.value;
  throw CONFLICTS[result.conflict]?.() ?? new TandemError('BAD_REQUEST', { message: result.conflict });
}
