import type { OtaPackage } from '@tandem/core';

const HEAD = 36;

/** `<tenant id> <JSON>`: a script has to find the tenant. */
export const packageText = (ota: OtaPackage): string => `${ota.tenantId} ${JSON.stringify(ota)}`;

export const parsePackage = (text: string | undefined): OtaPackage | undefined =>
  text === undefined ? undefined : (JSON.parse(text.slice(HEAD + 1)) as OtaPackage);

/** Title and version within a tenant as a field; a title may hold anything. */
export const packageNameField = ({ tenantId, title, version }: OtaPackage): string =>
  `${tenantId} ${JSON.stringify([title, version])}`;
