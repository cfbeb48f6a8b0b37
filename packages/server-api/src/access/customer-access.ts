import { type Core, type Customer, TandemError, type Uuid } from '@tandem/core';
import type { Principal } from '../auth/principal';

/**
 * The customer, if the caller may see it: a tenant administrator all of the tenant, a user of a customer the own one. A
 * foreign tenant's customer is as absent as one that never was.
 * @throws TandemError NOT_FOUND, PERMISSION_DENIED
 */
export async function accessCustomer({ state }: Pick<Core, 'state'>, { user }: Principal, id: Uuid): Promise<Customer> {
  const customer = await state.accounts.getCustomer(id);
  if (customer?.tenantId !== user.tenantId) {
    throw new TandemError('NOT_FOUND', { message: `Customer with id [${id}] is not found` });
  }
  const own = user.authority === 'CUSTOMER_USER' && user.customerId === id;
  if (user.authority !== 'TENANT_ADMIN' && !own) throw new TandemError('PERMISSION_DENIED');
  return customer;
}
