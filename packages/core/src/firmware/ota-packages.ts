import type { Uuid } from '../devices/model';
import { TandemError } from '../errors';
import type { Clock } from '../platform/clock';
import type { Random } from '../platform/random';
import type { Conflict, DeviceStore, Page, Written } from '../state/device-store';
import type { FirmwareStore, PackageQuery } from '../state/firmware-store';
import { NO_FILE, type OtaPackage, type PackageFile, type PackageType } from './model';

/** What a caller gives to make or change a package (server contract 8). Absent and null are the same. */
export interface PackageRequest extends Partial<PackageFile> {
  readonly id?: Uuid;
  readonly deviceProfileId?: Uuid;
  readonly type?: PackageType | null;
  readonly title?: string | null;
  readonly version?: string | null;
  readonly tag?: string | null;
  readonly url?: string | null;
  readonly usesUrl?: boolean | null;
  /** An object as compact JSON text. */
  readonly additionalInfo?: string | null;
}

/** What never changes once a package is there, and how the refusal calls it. */
const FIXED = {
  type: 'type',
  title: 'otaPackage title',
  version: 'otaPackage version',
  tag: 'otaPackage tag',
} as const;
/** What does not change once it is known. */
const KNOWN = {
  fileName: 'file name',
  contentType: 'content type',
  checksumAlgorithm: 'checksum algorithm',
  checksum: 'checksum',
  dataSize: 'data size',
  url: 'URL',
} as const;

/** Packages of firmware and software within a tenant. A foreign package is as absent as one that never was. */
export class OtaPackages {
  constructor(
    private readonly store: FirmwareStore,
    private readonly profiles: Pick<DeviceStore, 'getProfileInfo'>,
    private readonly clock: Clock,
    private readonly random: Random,
  ) {}

  /** @throws TandemError BAD_REQUEST with the reference's sentences, NOT_FOUND, VERSION_CONFLICT */
  async save(tenantId: Uuid, request: PackageRequest): Promise<OtaPackage> {
    if (request.usesUrl && !request.url?.trim()) throw refused('Ota package URL should be specified!');
    return request.id === undefined
      ? this.#create(tenantId, request)
      : this.#update(await this.get(tenantId, request.id), request);
  }

  /** @throws TandemError NOT_FOUND */
  async get(tenantId: Uuid, id: Uuid): Promise<OtaPackage> {
    const ota = await this.store.get(id);
    if (ota?.tenantId !== tenantId) throw absent(id);
    return ota;
  }

  list(tenantId: Uuid, query: PackageQuery): Promise<Page<OtaPackage>> {
    return this.store.list(tenantId, query);
  }

  /** @throws TandemError NOT_FOUND, BAD_REQUEST while a device or profile refers to it */
  async delete(tenantId: Uuid, id: Uuid): Promise<void> {
    await this.get(tenantId, id);
    written(await this.store.delete(id), id);
  }

  async #create(tenantId: Uuid, request: PackageRequest): Promise<OtaPackage> {
    const title = required('OtaPackage title', request.title);
    if (request.deviceProfileId !== undefined) await this.#requireProfile(tenantId, request.deviceProfileId);
    if (!request.type) throw refused('Type should be specified!');
    const ota: OtaPackage = {
      id: this.random.uuid(),
      createdTime: this.clock.now(),
      tenantId,
      deviceProfileId: request.deviceProfileId ?? null,
      type: request.type,
      title,
      version: required('OtaPackage version', request.version),
      tag: request.tag || null,
      additionalInfo: request.additionalInfo ?? null,
      ...fileBehindUrl(request),
      dataId: null,
      revision: 1,
    };
    return written(await this.store.create(ota), ota.id);
  }

  /** What is not given stays. */
  async #update(stored: OtaPackage, request: PackageRequest): Promise<OtaPackage> {
    for (const [name, words] of Object.entries(FIXED) as [keyof typeof FIXED, string][]) {
      if (request[name] && request[name] !== stored[name]) throw refused(`Updating ${words} is prohibited!`);
    }
    const { deviceProfileId, url } = request;
    if (deviceProfileId !== undefined && deviceProfileId !== stored.deviceProfileId) {
      throw refused('Updating otaPackage deviceProfile is prohibited!');
    }
    for (const [name, words] of Object.entries(KNOWN) as [keyof typeof KNOWN, string][]) {
      const given = request[name];
      if (given && stored[name] !== null && given !== stored[name]) {
        throw refused(`Updating otaPackage ${words} is prohibited!`);
      }
    }
    // A package is either here or elsewhere.
    if (url && stored.dataId !== null) throw refused('Updating otaPackage URL is prohibited!');
    const file = stored.url === null && url ? fileBehindUrl(request) : {};
    const additionalInfo = request.additionalInfo === undefined ? stored.additionalInfo : request.additionalInfo;
    return written(await this.store.update({ ...stored, ...file, additionalInfo }), stored.id);
  }

  async #requireProfile(tenantId: Uuid, id: Uuid): Promise<void> {
    const profile = await this.profiles.getProfileInfo(id);
    if (profile?.tenantId !== tenantId) throw refused('OtaPackage is referencing to non-existent device profile!');
  }
}

/** Of a file elsewhere nothing is known but what the caller says; of one that will be here nothing until it is. */
function fileBehindUrl(request: PackageRequest): PackageFile & { readonly url: string | null } {
  const url = request.url?.trim() || null;
  if (url === null) return { ...NO_FILE, url };
  return {
    url,
    fileName: request.fileName || null,
    contentType: request.contentType || null,
    checksumAlgorithm: request.checksumAlgorithm ?? null,
    checksum: request.checksum || null,
    dataSize: request.dataSize ?? null,
  };
}

function required(what: string, text: string | null | undefined): string {
  if (!text?.trim()) throw refused(`${what} should be specified!`);
  return text;
}

const refused = (message: string) => new TandemError('BAD_REQUEST', { message });

const absent = (id: Uuid) => new TandemError('NOT_FOUND', { message: `Ota package with id [${id}] is not found` });

const CONFLICTS: Partial<Record<Conflict, (id: Uuid) => TandemError>> = {
  NAME_TAKEN: () => refused('OtaPackage with such title and version already exists!'),
  IN_USE: () => refused('The otaPackage referenced by the devices or device profiles cannot be deleted!'),
  VERSION: () => new TandemError('VERSION_CONFLICT'),
  ABSENT: absent,
};

function written(result: Written<OtaPackage>, id: Uuid): OtaPackage {
  if (result.ok) return result.value;
  throw CONFLICTS[result.conflict]?.(id) ?? refused(result.conflict);
}
