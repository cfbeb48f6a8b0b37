import type { User } from '@tandem/core';
import { entityId } from './entity-id';
import { ALWAYS_NULL, EPOCH_MILLIS, exactly, idSchema, nullable, oneOf, TEXT, WHOLE } from './schema';

export const USER_ANSWER = exactly('User', {
  id: idSchema('USER'),
  createdTime: EPOCH_MILLIS,
  additionalInfo: ALWAYS_NULL,
  tenantId: idSchema('TENANT'),
  customerId: idSchema('CUSTOMER'),
  email: TEXT,
  authority: oneOf('SYS_ADMIN', 'TENANT_ADMIN', 'CUSTOMER_USER'),
  firstName: nullable(TEXT),
  lastName: nullable(TEXT),
  phone: ALWAYS_NULL,
  name: TEXT,
  version: WHOLE,
});

/** An account without anything that could open it. */
export const userJson = (user: User) => ({
  id: entityId('USER', user.id),
  createdTime: user.createdTime,
  additionalInfo: null,
  tenantId: entityId('TENANT', user.tenantId),
  customerId: entityId('CUSTOMER', user.customerId),
  email: user.email,
  authority: user.authority,
  firstName: user.firstName,
  lastName: user.lastName,
  phone: null,
  name: user.email,
  version: user.version,
});
