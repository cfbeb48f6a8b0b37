import type { Uuid } from '../devices/model';
import type { OtaPackage, PackageFile, PackageType } from '../firmware/model';
import type { Page, PageQuery, Written } from './device-store';

/** What one `read` gives at the most. */
export const MAX_FIRMWARE_READ = 1_048_576;

export interface PackageQuery extends PageQuery {
  readonly deviceProfileId?: Uuid;
  readonly type?: PackageType;
  /** Only those that devices can get: with data or a URL. */
  readonly available?: boolean;
}

/** What becomes of an upload that is complete. */
export interface NewData {
  readonly packageId: Uuid;
  readonly file: PackageFile & { readonly dataSize: number };
  /** Most bytes of all packages of the tenant. */
  readonly tenantMaxBytes: number;
}

/**
 * Bytes on their way into the store. Nobody sees them until `commit`; one that is neither committed nor aborted, because its
 * process died, is cleared away by the store in time.
 */
export interface DataUpload {
  /**
   * Appends. Resolves when more may come: whoever waits for it never holds more than a few pieces in memory. Not to be called
   * while an earlier call has not resolved. The store may keep the chunk until then, and no longer.
   */
  write(chunk: Uint8Array): Promise<void>;
  /**
   * In one atomic step everything that was written is the data of the package, its `dataSize` and the rest of `file` stand in
   * the record, and `dataId` names it. ABSENT when the package is not there (any more), IN_USE when it has data already,
   * LIMIT when the tenant's packages would be larger than they may. A conflict leaves nothing of the upload.
   */
  commit(data: NewData): Promise<Written<OtaPackage>>;
  /** Leaves nothing of it. May be called at any time, also twice and after `commit`, and then it does nothing. */
  abort(): Promise<void>;
}

/**
 * Packages of firmware and software, and their bytes (server contract 8). Records change in atomic steps; a package has all of
 * its data or none.
 */
export interface FirmwareStore {
  /** NAME_TAKEN when the tenant has a package with this title and version. ABSENT when the tenant was deleted. Made without data,
   * with revision 1. */
  create(ota: OtaPackage): Promise<Written<OtaPackage>>;
  /**
   * VERSION when the stored revision is another one, ABSENT. Stored with revision + 1. Title, version, tenant and data are as
   * stored, whatever is given.
   */
  update(ota: OtaPackage): Promise<Written<OtaPackage>>;
  get(id: Uuid): Promise<OtaPackage | undefined>;
  /** `textSearch` looks into the title. */
  list(tenantId: Uuid, query: PackageQuery): Promise<Page<OtaPackage>>;
  /** With its data. IN_USE while a device or a device profile refers to it. */
  delete(id: Uuid): Promise<Written<OtaPackage>>;

  /** @throws TandemError STORE_UNAVAILABLE */
  beginData(): Promise<DataUpload>;
  /**
   * A slice of the data, in a time that depends on neither the offset nor the size of the data. Less than `length` only at
   * the end of the data. Undefined when the data is gone.
   * @param length at most MAX_FIRMWARE_READ
   */
  read(dataId: Uuid, offset: number, length: number): Promise<Buffer | undefined>;
}
