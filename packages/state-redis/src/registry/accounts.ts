import type {
  Account,
  AccountChange,
  AccountStore,
  ApiKey,
  Customer,
  EpochMillis,
  Page,
  PageQuery,
  Removal,
  Tenant,
  User,
  UserCredentials,
  UserFilter,
  Uuid,
  Written,
} from '@tandem/core';
import type { ApiKeys } from './api-keys';
import type { Customers } from './customers';
import type { Removals } from './removals';
import type { SessionChanges } from './session-changes';
import type { Tenants } from './tenants';
import type { Users } from './users';

export interface AccountParts {
  readonly tenants: Tenants;
  readonly customers: Customers;
  readonly users: Users;
  readonly apiKeys: ApiKeys;
  readonly removals: Removals;
  readonly changes: SessionChanges;
}

/** Tenants, customers and users of the registry as the port they are. */
export class RedisAccounts implements AccountStore {
  constructor(private readonly parts: AccountParts) {}

  createTenant(tenant: Tenant): Promise<Written<Tenant>> {
    return this.parts.tenants.create(tenant);
  }

  updateTenant(tenant: Tenant): Promise<Written<Tenant>> {
    return this.parts.tenants.update(tenant);
  }

  getTenant(id: Uuid): Promise<Tenant | undefined> {
    return this.parts.tenants.get(id);
  }

  listTenants(query: PageQuery): Promise<Page<Tenant>> {
    return this.parts.tenants.list(query);
  }

  deleteTenant(id: Uuid, now: EpochMillis): Promise<Written<Tenant>> {
    return this.parts.tenants.delete(id, now);
  }

  createCustomer(customer: Customer): Promise<Written<Customer>> {
    return this.parts.customers.create(customer);
  }

  updateCustomer(customer: Customer): Promise<Written<Customer>> {
    return this.parts.customers.update(customer);
  }

  getCustomer(id: Uuid): Promise<Customer | undefined> {
    return this.parts.customers.get(id);
  }

  findCustomerByTitle(tenantId: Uuid, title: string): Promise<Customer | undefined> {
    return this.parts.customers.findByTitle(tenantId, title);
  }

  listCustomers(tenantId: Uuid, query: PageQuery): Promise<Page<Customer>> {
    return this.parts.customers.list(tenantId, query);
  }

  deleteCustomer(id: Uuid, now: EpochMillis): Promise<Written<Customer>> {
    return this.parts.customers.delete(id, now);
  }

  listRemovals(limit: number): Promise<readonly Removal[]> {
    return this.parts.removals.list(limit);
  }

  finishRemoval(id: Uuid): Promise<void> {
    return this.parts.removals.finish(id);
  }

  createUser(user: User, credentials: UserCredentials): Promise<Written<User>> {
    return this.parts.users.create(user, credentials);
  }

  updateUser(user: User): Promise<Written<User>> {
    return this.parts.users.update(user);
  }

  getUser(id: Uuid): Promise<User | undefined> {
    return this.parts.users.get(id);
  }

  findUserByEmail(email: string): Promise<User | undefined> {
    return this.parts.users.findByEmail(email);
  }

  listUsers(tenantId: Uuid, filter: UserFilter, query: PageQuery): Promise<Page<User>> {
    return this.parts.users.list(tenantId, filter, query);
  }

  deleteUser(id: Uuid): Promise<Written<User>> {
    return this.parts.users.delete(id);
  }

  getAccount(userId: Uuid): Promise<Account | undefined> {
    return this.parts.users.account(userId);
  }

  findAccountByEmail(email: string): Promise<Account | undefined> {
    return this.parts.users.findAccountByEmail(email);
  }

  findAccountByActivation(token: string): Promise<Account | undefined> {
    return this.parts.users.findAccountByActivation(token);
  }

  updateUserCredentials(credentials: UserCredentials): Promise<Written<UserCredentials>> {
    return this.parts.users.updateCredentials(credentials);
  }

  createApiKey(key: ApiKey, max: number): Promise<Written<ApiKey>> {
    return this.parts.apiKeys.create(key, max);
  }

  updateApiKey(key: ApiKey): Promise<Written<ApiKey>> {
    return this.parts.apiKeys.update(key);
  }

  getApiKey(id: Uuid): Promise<ApiKey | undefined> {
    return this.parts.apiKeys.get(id);
  }

  findApiKey(valueHash: string): Promise<ApiKey | undefined> {
    return this.parts.apiKeys.find(valueHash);
  }

  listApiKeys(userId: Uuid, query: PageQuery): Promise<Page<ApiKey>> {
    return this.parts.apiKeys.list(userId, query);
  }

  deleteApiKey(id: Uuid): Promise<Written<ApiKey>> {
    return this.parts.apiKeys.delete(id);
  }

  onAccountChange(listener: (change: AccountChange) => void): () => void {
    return this.parts.changes.onChange((change) => {
      if (change.kind === 'user' || change.kind === 'customer' || change.kind === 'missed') listener(change);
    });
  }
}
