import type { Uuid } from '../devices/model';
import type { EpochMillis } from '../platform/clock';

export const PACKAGE_TYPES = ['FIRMWARE', 'SOFTWARE'] as const;
export type PackageType = (typeof PACKAGE_TYPES)[number];

export const CHECKSUM_ALGORITHMS = ['MD5', 'SHA256', 'SHA384', 'SHA512', 'CRC32', 'MURMUR3_32', 'MURMUR3_128'] as const;
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];

/** What is known of a file, of one that is here or of one behind a URL. */
export interface PackageFile {
  readonly fileName: string | null;
  readonly contentType: string | null;
  readonly checksumAlgorithm: ChecksumAlgorithm | null;
  /** Lower-case hex. */
  readonly checksum: string | null;
  /** Bytes. */
  readonly dataSize: number | null;
}

/** A firmware or software package (server contract 8). Its data, once there, never changes. */
export interface OtaPackage extends PackageFile {
  readonly id: Uuid;
  readonly createdTime: EpochMillis;
  readonly tenantId: Uuid;
  readonly deviceProfileId: Uuid | null;
  readonly type: PackageType;
  readonly title: string;
  /** Of the firmware: any text. */
  readonly version: string;
  readonly tag: string | null;
  /** Where devices find the file that is not here. */
  readonly url: string | null;
  /** An object as compact JSON text. */
  readonly additionalInfo: string | null;
  /** Names the data in the store; null as long as there is none. */
  readonly dataId: Uuid | null;
  /** Counts the changes of the record; 1 when it is made. */
  readonly revision: number;
}

/** Whether devices can get it: its bytes are here, or a URL says where they are. */
export const hasData = ({ dataId, url }: Pick<OtaPackage, 'dataId' | 'url'>): boolean => dataId !== null || !!url;

export const NO_FILE: PackageFile = {
  fileName: null,
  contentType: null,
  checksumAlgorithm: null,
  checksum: null,
  dataSize: null,
};
