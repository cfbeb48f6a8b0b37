import {
  type DataUpload,
  type FirmwareStore,
  hasData,
  type OtaPackage,
  type PackageQuery,
  type Page,
  page,
  type Random,
  type Uuid,
  type Written,
} from '@tandem/core';
import type { Commands } from '../client';
import type { Keys } from '../keys';
import { Commit } from '../registry/commit';
import { at, headOf, type RegistryReader } from '../registry/reader';
import type { RegistryWriter } from '../registry/writer';
import { DataPurge, type DataPurgeOptions, DEAD } from './data-purge';
import { RedisDataUpload } from './data-upload';
import { packageNameField, packageText, parsePackage } from './package-records';
import { Pieces } from './pieces';

export interface RedisFirmwareOptions extends DataPurgeOptions {
  readonly random: Random;
}

/** Records in the registry, bytes in a slot of their own for each package. */
export class RedisFirmware implements FirmwareStore {
  readonly #purge: DataPurge;

  constructor(
    private readonly commands: Commands,
    private readonly keys: Keys,
    private readonly reader: RegistryReader,
    private readonly writer: RegistryWriter,
    private readonly options: RedisFirmwareOptions,
  ) {
    this.#purge = new DataPurge(commands, keys, reader, writer, options);
  }

  /** Takes up what processes have left that died, now and again and again. */
  start(): void {
    this.#purge.start();
  }

  /** Takes it up once, now. Never rejects. */
  resume(): Promise<void> {
    return this.#purge.resume();
  }

  close(): Promise<void> {
    return this.#purge.close();
  }

  create(ota: OtaPackage): Promise<Written<OtaPackage>> {
    const commit = new Commit()
      .absent('removals', ota.tenantId, 'ABSENT')
      .absent('package-names', packageNameField(ota), 'NAME_TAKEN')
      .absent('packages', ota.id, 'VERSION')
      .set('packages', ota.id, packageText(ota))
      .set('package-names', packageNameField(ota), ota.id);
    return this.writer.write(async () => ({ value: ota, commit }));
  }

  update(ota: OtaPackage): Promise<Written<OtaPackage>> {
    return this.writer.write(async () => {
      const [text] = await this.reader.read(['packages', at(ota.id)]);
      const stored = parsePackage(text);
      if (!stored) return 'ABSENT';
      if (stored.revision !== ota.revision) return 'VERSION';
      const { tenantId, title, version, dataId } = stored;
      const value = { ...ota, tenantId, title, version, dataId, revision: stored.revision + 1 };
      const commit = new Commit().unchanged('packages', ota.id, text).set('packages', ota.id, packageText(value));
      return { value, commit };
    });
  }

  async get(id: Uuid): Promise<OtaPackage | undefined> {
    const [text] = await this.reader.read(['packages', at(id)]);
    return parsePackage(text);
  }

  async list(tenantId: Uuid, query: PackageQuery): Promise<Page<OtaPackage>> {
    const { deviceProfileId, type, available } = query;
    const packages: OtaPackage[] = [];
    for (const text of (await this.reader.all('packages')).values()) {
      const ota = text.startsWith(tenantId) ? parsePackage(text) : undefined;
      if (!ota) continue;
      if (deviceProfileId !== undefined && ota.deviceProfileId !== deviceProfileId) continue;
      if ((type === undefined || ota.type === type) && (!available || hasData(ota))) packages.push(ota);
    }
    // So that packages which the order asked for does not tell apart are on the same pages in every call.
    packages.sort((a, b) => (a.id < b.id ? -1 : Number(a.id > b.id)));
    return page(packages, query, 'title');
  }

  async delete(id: Uuid): Promise<Written<OtaPackage>> {
    const written = await this.writer.write<OtaPackage>(async () => {
      const [text, bytes] = await this.reader.read(['packages', at(id)], ['package-bytes', headOf(1)]);
      const stored = parsePackage(text);
      if (!stored) return 'ABSENT';
      const commit = new Commit()
        .zero('package-uses', id, 'IN_USE')
        .unchanged('packages', id, text)
        .remove('packages', id)
        .remove('package-names', packageNameField(stored));
      if (stored.dataId !== null) {
        const left = Math.max(0, Number(bytes ?? 0) - (stored.dataSize ?? 0));
        commit
          .unchanged('package-bytes', stored.tenantId, bytes)
          .set('package-bytes', stored.tenantId, String(left))
          .set('firmware-data', stored.dataId, DEAD);
      }
      return { value: stored, commit };
    });
    if (written.ok && written.value.dataId !== null) await this.#purge.removed(written.value.dataId);
    return written;
  }

  async beginData(): Promise<DataUpload> {
    const pieces = new Pieces(this.commands, this.keys, this.options.random.uuid());
    const upload = new RedisDataUpload(pieces, this.reader, this.writer, this.#purge);
    await upload.begin();
    return upload;
  }

  read(dataId: Uuid, offset: number, length: number): Promise<Buffer | undefined> {
    return new Pieces(this.commands, this.keys, dataId).read(offset, length);
  }
}
