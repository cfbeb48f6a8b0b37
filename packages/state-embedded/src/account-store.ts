import {
  type Account,
  type AccountChange,
  type AccountStore,
  type ApiKey,
  type Customer,
  type EpochMillis,
  type Logger,
  type Page,
  type PageQuery,
  page,
  type Removal,
  type SealedRecords,
  type Tenant,
  tellAll,
  type User,
  type UserCredentials,
  type UserFilter,
  type Uuid,
  type Written,
} from '@tandem/core';
import { EmbeddedApiKeys } from './api-keys';
import { conflict, fits, follow, get, isPresent, put, tooLong, versionConflict } from './entity-rows';
import type { Environment } from './environment';
import { nameKey, prefixRange, uuidBytes } from './keys';
import { isRemoved } from './removals';
import type { Transactions } from './transactions';
import { EmbeddedUsers } from './users';

export class EmbeddedAccounts implements AccountStore {
  readonly #listeners = new Set<(change: AccountChange) => void>();
  readonly #users: EmbeddedUsers;
  readonly #apiKeys: EmbeddedApiKeys;

  constructor(
    private readonly env: Environment,
    private readonly transactions: Transactions,
    records: SealedRecords,
    private readonly logger: Logger,
  ) {
    const changed = (userId: Uuid) => this.#tell({ kind: 'user', userId });
    this.#apiKeys = new EmbeddedApiKeys(env, transactions, changed);
    this.#users = new EmbeddedUsers(env, transactions, records, this.#apiKeys, changed);
  }

  createTenant(tenant: Tenant): Promise<Written<Tenant>> {
    return this.transactions.run(() => {
      if (isRemoved(this.env, tenant.id)) return conflict('ABSENT');
      if (this.env.tenants.doesExist(tenant.id)) return conflict('VERSION');
      put(this.env.tenants, tenant);
      return fits(tenant);
    });
  }

  updateTenant(tenant: Tenant): Promise<Written<Tenant>> {
    return this.transactions.run((): Written<Tenant> => {
      const stored = get<Tenant>(this.env.tenants, tenant.id);
      const refused = versionConflict(stored, tenant);
      if (refused || !stored) return conflict(refused ?? 'ABSENT');
      const updated = { ...tenant, version: stored.version + 1 };
      put(this.env.tenants, updated);
      return fits(updated);
    });
  }

  async getTenant(id: Uuid): Promise<Tenant | undefined> {
    return get<Tenant>(this.env.tenants, id);
  }

  async listTenants(query: PageQuery): Promise<Page<Tenant>> {
    const texts = [...this.env.tenants.getRange()].map(({ value }) => value);
    return page(
      texts.map((text) => JSON.parse(text) as Tenant),
      query,
      'title',
    );
  }

  deleteTenant(id: Uuid, now: EpochMillis): Promise<Written<Tenant>> {
    return this.transactions.run((): Written<Tenant> => {
      const stored = get<Tenant>(this.env.tenants, id);
      if (!stored) return conflict('ABSENT');
      this.env.tenants.remove(id);
      this.#noteRemoval({ kind: 'tenant', id, tenantId: id, deletedAt: now });
      return fits(stored);
    });
  }

  createCustomer(customer: Customer): Promise<Written<Customer>> {
    return this.transactions.run(() => {
      const key = titleKey(customer);
      if (isRemoved(this.env, customer.tenantId, customer.id)) return conflict('ABSENT');
      if (this.env.customersByTitle.doesExist(key)) return conflict('NAME_TAKEN');
      if (this.env.customers.doesExist(customer.id)) return conflict('VERSION');
      put(this.env.customers, customer);
      this.env.customersByTitle.put(key, customer.id);
      return fits(customer);
    });
  }

  async updateCustomer(customer: Customer): Promise<Written<Customer>> {
    const result = await this.transactions.run((): Written<Customer> => {
      const stored = get<Customer>(this.env.customers, customer.id);
      const refused = versionConflict(stored, customer);
      if (refused || !stored) return conflict(refused ?? 'ABSENT');
      const key = titleKey(customer);
      const holder = this.env.customersByTitle.get(key);
      if (holder !== undefined && holder !== customer.id) return conflict('NAME_TAKEN');
      const updated = { ...customer, version: stored.version + 1 };
      this.env.customersByTitle.remove(titleKey(stored));
      this.env.customersByTitle.put(key, customer.id);
      put(this.env.customers, updated);
      return fits(updated);
    });
    if (result.ok) this.#tell({ kind: 'customer', customerId: customer.id });
    return result;
  }

  async getCustomer(id: Uuid): Promise<Customer | undefined> {
    return get<Customer>(this.env.customers, id);
  }

  async findCustomerByTitle(tenantId: Uuid, title: string): Promise<Customer | undefined> {
    const key = nameKey(tenantId, title);
    return follow<Customer>(this.env.customers, key && this.env.customersByTitle.get(key));
  }

  async listCustomers(tenantId: Uuid, query: PageQuery): Promise<Page<Customer>> {
    const ids = [...this.env.customersByTitle.getRange(prefixRange(uuidBytes(tenantId)))].map(({ value }) => value);
    return page(ids.map((id) => get<Customer>(this.env.customers, id)).filter(isPresent), query, 'title');
  }

  async deleteCustomer(id: Uuid, now: EpochMillis): Promise<Written<Customer>> {
    const result = await this.transactions.run((): Written<Customer> => {
      const stored = get<Customer>(this.env.customers, id);
      if (!stored) return conflict('ABSENT');
      this.env.customers.remove(id);
      this.env.customersByTitle.remove(titleKey(stored));
      if (!isRemoved(this.env, stored.tenantId)) {
        this.#noteRemoval({ kind: 'customer', id, tenantId: stored.tenantId, deletedAt: now });
      }
      return fits(stored);
    });
    if (result.ok) this.#tell({ kind: 'customer', customerId: id });
    return result;
  }

  async listRemovals(limit: number): Promise<readonly Removal[]> {
    const removals = [...this.env.removals.getRange()].map(({ value }) => JSON.parse(value) as Removal);
    return removals.sort((a, b) => a.deletedAt - b.deletedAt).slice(0, limit);
  }

  async finishRemoval(id: Uuid): Promise<void> {
    await this.transactions.run(() => this.env.removals.remove(id));
  }

  createUser(user: User, credentials: UserCredentials): Promise<Written<User>> {
    return this.#users.create(user, credentials);
  }

  updateUser(user: User): Promise<Written<User>> {
    return this.#users.update(user);
  }

  async getUser(id: Uuid): Promise<User | undefined> {
    return this.#users.get(id);
  }

  async findUserByEmail(email: string): Promise<User | undefined> {
    return this.#users.findByEmail(email);
  }

  async listUsers(tenantId: Uuid, filter: UserFilter, query: PageQuery): Promise<Page<User>> {
    return this.#users.list(tenantId, filter, query);
  }

  deleteUser(id: Uuid): Promise<Written<User>> {
    return this.#users.delete(id);
  }

  async getAccount(userId: Uuid): Promise<Account | undefined> {
    return this.#users.account(this.#users.get(userId));
  }

  async findAccountByEmail(email: string): Promise<Account | undefined> {
    return this.#users.account(this.#users.findByEmail(email));
  }

  async findAccountByActivation(token: string): Promise<Account | undefined> {
    return this.#users.account(this.#users.findByActivation(token));
  }

  updateUserCredentials(credentials: UserCredentials): Promise<Written<UserCredentials>> {
    return this.#users.updateCredentials(credentials);
  }

  createApiKey(key: ApiKey, max: number): Promise<Written<ApiKey>> {
    return this.#apiKeys.create(key, max);
  }

  updateApiKey(key: ApiKey): Promise<Written<ApiKey>> {
    return this.#apiKeys.update(key);
  }

  async getApiKey(id: Uuid): Promise<ApiKey | undefined> {
    return this.#apiKeys.get(id);
  }

  async findApiKey(valueHash: string): Promise<ApiKey | undefined> {
    return this.#apiKeys.find(valueHash);
  }

  async listApiKeys(userId: Uuid, query: PageQuery): Promise<Page<ApiKey>> {
    return this.#apiKeys.list(userId, query);
  }

  deleteApiKey(id: Uuid): Promise<Written<ApiKey>> {
    return this.#apiKeys.delete(id);
  }

  onAccountChange(listener: (change: AccountChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #noteRemoval(removal: Removal): void {
    this.env.removals.put(removal.id, JSON.stringify(removal));
  }

  #tell(change: AccountChange): void {
    tellAll(this.#listeners, change, this.logger);
  }
}

/** @throws TandemError BAD_REQUEST for a title that is too long to be stored */
function titleKey({ tenantId, title }: Customer): Buffer {
  const key = nameKey(tenantId, title);
  if (!key) throw tooLong('title');
  return key;
}
