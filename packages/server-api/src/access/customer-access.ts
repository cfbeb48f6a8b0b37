import { type Customer, type Customers, TandemError, type Uuid } from '@tandem/core';
import type { Principal } from '../auth/principal';

/**
 * The customer, if the caller may see it: a tenant administrator all of the tenant, a user of a customer the own one. A
 * foreign tenant's customer is as absent as one that never was.
 * @throws TandemError NOT_FOUND, PERMISSION_DENIED
 */
export async function accessCustomer(customers: Customers, { user }: Principal, id: Uuid): Promise<Customer> {
  const customer = await customers.get(user.tenantId, id);
  const own = user.authority === 'CUSTOMER_USER' && user.customerId === id;
  if (user.authority !== 'TENANT_ADMIN' && !own) throw new TandemError('PERMISSION_DENIED');
  return customer;
}
