import {
  CHECKSUM_ALGORITHMS,
  type ChecksumAlgorithm,
  type JsonObject,
  PACKAGE_TYPES,
  type PackageRequest,
  type PackageType,
  splitJsonObject,
} from '@tandem/core';
import type { JsonBody } from '../http/json-body';
import { idOf, NULLABLE_OBJECT, NULLABLE_TEXT, uuidOf } from './device-schemas';

/** Server contract 8, the request's half. Null is absent. */
export interface OtaPackageBody {
  readonly id?: { readonly id: string } | null;
  readonly deviceProfileId?: { readonly id: string } | null;
  readonly type?: PackageType | null;
  readonly title?: string | null;
  readonly version?: string | null;
  readonly tag?: string | null;
  readonly url?: string | null;
  readonly usesUrl?: boolean | null;
  readonly additionalInfo?: JsonObject | null;
  readonly fileName?: string | null;
  readonly contentType?: string | null;
  readonly checksumAlgorithm?: ChecksumAlgorithm | null;
  readonly checksum?: string | null;
  readonly dataSize?: number | null;
}

export const OTA_PACKAGE_SCHEMA = {
  type: 'object',
  properties: {
    id: idOf('OTA_PACKAGE'),
    deviceProfileId: idOf('DEVICE_PROFILE'),
    type: { enum: [...PACKAGE_TYPES, null] },
    title: NULLABLE_TEXT,
    version: NULLABLE_TEXT,
    tag: NULLABLE_TEXT,
    url: NULLABLE_TEXT,
    usesUrl: { type: ['boolean', 'null'] },
    additionalInfo: NULLABLE_OBJECT,
    fileName: NULLABLE_TEXT,
    contentType: NULLABLE_TEXT,
    checksumAlgorithm: { enum: [...CHECKSUM_ALGORITHMS, null] },
    checksum: { ...NULLABLE_TEXT, maxLength: 1_020 },
    dataSize: { type: ['integer', 'null'], minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
  },
};

export const packageRequest = ({ value: body, text }: JsonBody<OtaPackageBody>): PackageRequest => ({
  ...body,
  id: uuidOf(body.id),
  deviceProfileId: uuidOf(body.deviceProfileId),
  additionalInfo: body.additionalInfo ? splitJsonObject(text).get('additionalInfo') : body.additionalInfo,
});
