import type { User } from '@tandem/core';
import { entityId } from './entity-id';

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
