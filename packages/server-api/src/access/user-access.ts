import { absentUser, TandemError, type User, type Users, type Uuid } from '@tandem/core';
import type { Principal } from '../auth/principal';

/**
 * The user, if the caller may act on him: everybody on himself, a system administrator on tenant administrators, a tenant
 * administrator on users of the tenant. A foreign tenant's user is as absent as one that never was.
 * @throws TandemError NOT_FOUND, PERMISSION_DENIED
 */
export async function accessUser(users: Users, { user: caller }: Principal, id: Uuid): Promise<User> {
  const user = await users.get(id);
  if (user.id === caller.id) return user;
  if (caller.authority === 'SYS_ADMIN') {
    if (user.authority !== 'TENANT_ADMIN') throw new TandemError('PERMISSION_DENIED');
    return user;
  }
  if (user.tenantId !== caller.tenantId) throw absentUser(id);
  if (caller.authority !== 'TENANT_ADMIN') throw new TandemError('PERMISSION_DENIED');
  return user;
}

/**
 * The user, if the caller may act in his name: a system administrator in that of tenant administrators, a tenant
 * administrator in that of the tenant's customers' users (server contract 2).
 * @param allowed whether anybody may: `SECURITY_USER_TOKEN_ACCESS_ENABLED`
 * @throws TandemError NOT_FOUND, PERMISSION_DENIED
 */
export async function accessAsUser(users: Users, caller: Principal, id: Uuid, allowed: boolean): Promise<User> {
  if (!allowed) throw new TandemError('PERMISSION_DENIED');
  const user = await accessUser(users, caller, id);
  const below = caller.user.authority === 'SYS_ADMIN' ? 'TENANT_ADMIN' : 'CUSTOMER_USER';
  if (user.id === caller.user.id || user.authority !== below) throw new TandemError('PERMISSION_DENIED');
  return user;
}
