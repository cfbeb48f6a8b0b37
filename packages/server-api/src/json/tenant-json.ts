import type { Tenant } from '@tandem/core';
import { withAdditionalInfo } from './additional-info';
import { CONTACT_MEMBERS, contactJson } from './contact-json';
import { entityId } from './entity-id';
import { ALWAYS_NULL, EPOCH_MILLIS, exactly, idSchema, nullable, OBJECT, TEXT, WHOLE } from './schema';

export const TENANT_ANSWER = exactly('Tenant', {
  id: idSchema('TENANT'),
  createdTime: EPOCH_MILLIS,
  additionalInfo: nullable(OBJECT),
  ...CONTACT_MEMBERS,
  title: TEXT,
  region: nullable(TEXT),
  tenantProfileId: ALWAYS_NULL,
  version: WHOLE,
  name: TEXT,
});

/** Exactly the members of ThingsBoard's Tenant. There are no tenant profiles here. */
export const tenantJson = (tenant: Tenant): string =>
  withAdditionalInfo({ id: entityId('TENANT', tenant.id), createdTime: tenant.createdTime }, tenant.additionalInfo, {
    ...contactJson(tenant),
    title: tenant.title,
    region: tenant.region,
    tenantProfileId: null,
    version: tenant.version,
    name: tenant.title,
  });
