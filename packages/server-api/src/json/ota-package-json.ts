import { CHECKSUM_ALGORITHMS, hasData, type OtaPackage, PACKAGE_TYPES } from '@tandem/core';
import { entityId, optionalId } from './entity-id';
import { EPOCH_MILLIS, exactly, FLAG, idSchema, nullable, OBJECT, oneOf, TEXT, WHOLE } from './schema';

const MEMBERS = {
  id: idSchema('OTA_PACKAGE'),
  createdTime: EPOCH_MILLIS,
  additionalInfo: nullable(OBJECT),
  tenantId: idSchema('TENANT'),
  deviceProfileId: nullable(idSchema('DEVICE_PROFILE')),
  type: oneOf(...PACKAGE_TYPES),
  title: TEXT,
  version: TEXT,
  tag: nullable(TEXT),
  url: nullable(TEXT),
  hasData: FLAG,
  fileName: nullable(TEXT),
  contentType: nullable(TEXT),
  checksumAlgorithm: nullable(oneOf(...CHECKSUM_ALGORITHMS)),
  checksum: nullable(TEXT),
  dataSize: nullable(WHOLE),
};

export const OTA_PACKAGE_INFO_ANSWER = exactly('OtaPackageInfo', MEMBERS);
export const OTA_PACKAGE_ANSWER = exactly('OtaPackage', {
  ...MEMBERS,
  data: { anyOf: [{ type: 'string', contentEncoding: 'base64' }, { type: 'null' }] },
});

/** Exactly the members of server contract 8: strict clients break on any other. */
export const otaPackageInfoJson = (ota: OtaPackage): string => `{${members(ota)}}`;

/**
 * The same with the bytes in base64, in pieces.
 * @param data pieces of which all but the last have a length that three divides; undefined where there are none
 */
export async function* otaPackageJson(ota: OtaPackage, data?: AsyncIterable<Buffer>): AsyncGenerator<string> {
  yield `{${members(ota)},"data":`;
  if (data) {
    yield '"';
    for await (const piece of data) yield piece.toString('base64');
    yield '"}';
  } else {
    yield 'null}';
  }
}

/** `additionalInfo` is JSON with its own number texts, so this is text. */
function members(ota: OtaPackage): string {
  const head = JSON.stringify({ id: entityId('OTA_PACKAGE', ota.id), createdTime: ota.createdTime }).slice(1, -1);
  const rest = JSON.stringify({
    tenantId: entityId('TENANT', ota.tenantId),
    deviceProfileId: optionalId('DEVICE_PROFILE', ota.deviceProfileId),
    type: ota.type,
    title: ota.title,
    version: ota.version,
    tag: ota.tag,
    url: ota.url,
    hasData: hasData(ota),
    fileName: ota.fileName,
    contentType: ota.contentType,
    checksumAlgorithm: ota.checksumAlgorithm,
    checksum: ota.checksum,
    dataSize: ota.dataSize,
  }).slice(1, -1);
  return `${head},"additionalInfo":${ota.additionalInfo ?? 'null'},${rest}`;
}
