import {
  type DataUpload,
  type FirmwareStore,
  hasData,
  type Logger,
  type MetricsRegistry,
  type NewData,
  type OtaPackage,
  type PackageQuery,
  type Page,
  page,
  type Random,
  type Uuid,
  type Written,
} from '@tandem/core';
import { conflict, fits } from './entity-rows';
import type { Environment } from './environment';
import type { FileUpload, FirmwareFiles } from './firmware-files';
import { packageNameKey, prefixRange, uuidBytes } from './keys';
import type { PackageUses } from './package-uses';
import { isRemoved } from './removals';
import type { Transactions } from './transactions';

type Tables = Pick<Environment, 'packages' | 'packagesByName' | 'removals'>;

export interface FirmwarePlatform {
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
}

/** Records in lmdb, bytes in files: a file without a record that names it is nothing, and goes at the next start. */
export class EmbeddedFirmware implements FirmwareStore {
  readonly #swept: { add(n: number): void };

  constructor(
    private readonly env: Tables,
    private readonly transactions: Transactions,
    private readonly files: FirmwareFiles,
    private readonly uses: PackageUses,
    private readonly platform: FirmwarePlatform,
  ) {
    this.#swept = platform.metrics.counter('tandem_firmware_uploads_swept_total');
  }

  create(ota: OtaPackage): Promise<Written<OtaPackage>> {
    return this.transactions.run(() => {
      if (isRemoved(this.env, ota.tenantId)) return conflict('ABSENT');
      const key = packageNameKey(ota);
      if (this.env.packagesByName.doesExist(key)) return conflict('NAME_TAKEN');
      this.#put(ota);
      this.env.packagesByName.put(key, ota.id);
      return fits(ota);
    });
  }

  update(ota: OtaPackage): Promise<Written<OtaPackage>> {
    return this.transactions.run(() => {
      const stored = this.#get(ota.id);
      if (!stored) return conflict('ABSENT');
      if (stored.revision !== ota.revision) return conflict('VERSION');
      const { tenantId, title, version, dataId } = stored;
      const updated = { ...ota, tenantId, title, version, dataId, revision: stored.revision + 1 };
      this.#put(updated);
      return fits(updated);
    });
  }

  async get(id: Uuid): Promise<OtaPackage | undefined> {
    return this.#get(id);
  }

  async list(tenantId: Uuid, query: PackageQuery): Promise<Page<OtaPackage>> {
    const { deviceProfileId, type, available } = query;
    const packages = this.#ofTenant(tenantId).filter(
      (ota) =>
        (deviceProfileId === undefined || ota.deviceProfileId === deviceProfileId) &&
        (type === undefined || ota.type === type) &&
        (!available || hasData(ota)),
    );
    return page(packages, query, 'title');
  }

  async delete(id: Uuid): Promise<Written<OtaPackage>> {
    const result = await this.transactions.run((): Written<OtaPackage> => {
      const stored = this.#get(id);
      if (!stored) return conflict('ABSENT');
      if (this.uses.used(id)) return conflict('IN_USE');
      this.env.packages.remove(id);
      this.env.packagesByName.remove(packageNameKey(stored));
      return fits(stored);
    });
    if (result.ok && result.value.dataId !== null) await this.#remove(result.value.dataId);
    return result;
  }

  async beginData(): Promise<DataUpload> {
    const dataId = this.platform.random.uuid();
    const upload = await this.files.begin(dataId);
    return {
      write: (chunk) => upload.write(chunk),
      commit: (data) => this.#commit(upload, dataId, data),
      abort: () => upload.abort(),
    };
  }

  read(dataId: Uuid, offset: number, length: number): Promise<Buffer | undefined> {
    return this.files.read(dataId, offset, length);
  }

  /** Clears away what a process has left that died: to be called when nothing is under way. */
  async sweep(): Promise<void> {
    const referred = new Set<Uuid>();
    for (const { value } of this.env.packages.getRange()) {
      const { dataId } = JSON.parse(value) as OtaPackage;
      if (dataId !== null) referred.add(dataId);
    }
    const swept = await this.files.sweep(referred);
    this.#swept.add(swept);
    if (swept > 0) this.platform.logger.info('uploads of packages that were cut off are cleared away', { swept });
  }

  async #commit(upload: FileUpload, dataId: Uuid, data: NewData): Promise<Written<OtaPackage>> {
    const result = await this.transactions.during(async () => {
      await upload.finish();
      try {
        return await this.transactions.run(() => this.#setData(dataId, upload.size, data));
      } catch (error) {
        // Where the record names it all the same, as after a disk that failed to say so, it has to stay.
        if (this.#get(data.packageId)?.dataId !== dataId) await this.#remove(dataId);
        throw error;
      }
    });
    if (!result.ok) await this.#remove(dataId);
    return result;
  }

  #setData(dataId: Uuid, size: number, { packageId, file, tenantMaxBytes }: NewData): Written<OtaPackage> {
    const stored = this.#get(packageId);
    if (!stored) return conflict('ABSENT');
    if (stored.dataId !== null) return conflict('IN_USE');
    const taken = this.#ofTenant(stored.tenantId).reduce((sum, ota) => sum + (ota.dataId ? (ota.dataSize ?? 0) : 0), 0);
    if (taken + size > tenantMaxBytes) return conflict('LIMIT');
    const updated = { ...stored, ...file, dataId, revision: stored.revision + 1 };
    this.#put(updated);
    return fits(updated);
  }

  /** The record is gone: where the file cannot go now, it does at the next start. */
  async #remove(dataId: Uuid): Promise<void> {
    await this.files.remove(dataId).catch((error: unknown) => {
      this.platform.logger.warn('the file of a package could not be removed yet', { dataId, error: String(error) });
    });
  }

  #ofTenant(tenantId: Uuid): OtaPackage[] {
    const ids = this.env.packagesByName.getRange(prefixRange(uuidBytes(tenantId))).map(({ value }) => value);
    return [...ids].flatMap((id) => this.#get(id) ?? []);
  }

  #get(id: Uuid): OtaPackage | undefined {
    const text = this.env.packages.get(id);
    return text === undefined ? undefined : (JSON.parse(text) as OtaPackage);
  }

  #put(ota: OtaPackage): void {
    this.env.packages.put(ota.id, JSON.stringify(ota));
  }
}
