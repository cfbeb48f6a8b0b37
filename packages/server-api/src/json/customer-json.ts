import type { Customer } from '@tandem/core';
import { withAdditionalInfo } from './additional-info';
import { CONTACT_MEMBERS, contactJson } from './contact-json';
import { entityId } from './entity-id';
import { ALWAYS_NULL, EPOCH_MILLIS, exactly, idSchema, nullable, OBJECT, TEXT, WHOLE } from './schema';

export const CUSTOMER_ANSWER = exactly('Customer', {
  id: idSchema('CUSTOMER'),
  createdTime: EPOCH_MILLIS,
  additionalInfo: nullable(OBJECT),
  ...CONTACT_MEMBERS,
  title: TEXT,
  tenantId: idSchema('TENANT'),
  externalId: ALWAYS_NULL,
  version: WHOLE,
  name: TEXT,
});

/** Exactly the members of ThingsBoard's Customer. */
export const customerJson = (customer: Customer): string =>
  withAdditionalInfo(
    { id: entityId('CUSTOMER', customer.id), createdTime: customer.createdTime },
    customer.additionalInfo,
    {
      ...contactJson(customer),
      title: customer.title,
      tenantId: entityId('TENANT', customer.tenantId),
      externalId: null,
      version: customer.version,
      name: customer.title,
    },
  );
