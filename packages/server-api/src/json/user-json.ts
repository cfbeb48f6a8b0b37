import type { User } from '@tandem/core';
import { withAdditionalInfo } from './additional-info';
import { entityId } from './entity-id';
import { EPOCH_MILLIS, exactly, idSchema, nullable, OBJECT, oneOf, TEXT, WHOLE } from './schema';

export const USER_ANSWER = exactly('User', {
  id: idSchema('USER'),
  createdTime: EPOCH_MILLIS,
  additionalInfo: nullable(OBJECT),
  tenantId: idSchema('TENANT'),
  customerId: idSchema('CUSTOMER'),
  email: TEXT,
  authority: oneOf('SYS_ADMIN', 'TENANT_ADMIN', 'CUSTOMER_USER'),
  firstName: nullable(TEXT),
  lastName: nullable(TEXT),
  phone: nullable(TEXT),
  name: TEXT,
  version: WHOLE,
});

/** An account without anything that could open it. */
export const userJson = (user: User): string =>
  withAdditionalInfo({ id: entityId('USER', user.id), createdTime: user.createdTime }, user.additionalInfo, {
    tenantId: entityId('TENANT', user.tenantId),
    customerId: entityId('CUSTOMER', user.customerId),
    email: user.email,
    authority: user.authority,
    firstName: user.firstName,
    lastName: user.lastName,
    phone: user.phone,
    name: user.email,
    version: user.version,
  });
