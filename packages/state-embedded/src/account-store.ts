import {
  type AccountChange,
  type AccountStore,
  type Conflict,
  type Customer,
  type EpochMillis,
  type Page,
  type PageQuery,
  page,
  type Removal,
  type Tenant,
  type User,
  type UserFilter,
  type Uuid,
  type Written,
} from '@tandem/core';
import { conflict, fits, follow, get, isPresent, put, tooLong, versionConflict } from './entity-rows';
import type { BinaryTable, Environment, Table } from './environment';
import { nameBytes, nameKey, prefixRange, uuidBytes } from './keys';
import { isRemoved } from './removals';
import type { Transactions } from './transactions';

export class EmbeddedAccounts implements AccountStore {
  readonly #listeners = new Set<(change: AccountChange) => void>();

  constructor(
    private readonly env: Environment,
    private readonly transactions: Transactions,
  ) {}

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
    return page(this.#ofTenant<Customer>(this.env.customers, this.env.customersByTitle, tenantId), query, 'title');
  }

  async deleteCustomer(id: Uuid, now: EpochMillis): Promise<Written<Customer>> {
    const result = await this.transactions.run((): Written<Customer> => {
      const stored = get<Customer>(this.env.customers, id);
      if (!stored) return conflict('ABSENT');
      this.env.customers.remove(id);
      this.env.customersByTitle.remove(titleKey(stored));
      this.#noteRemoval({ kind: 'customer', id, tenantId: stored.tenantId, deletedAt: now });
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

  createUser(user: User): Promise<Written<User>> {
    return this.transactions.run(() => {
      if (!nameBytes(user.email)) throw tooLong('e-mail address');
      if (isRemoved(this.env, user.tenantId, user.customerId)) return conflict('ABSENT');
      if (this.env.usersByEmail.doesExist(user.email)) return conflict('EMAIL_TAKEN');
      if (this.env.users.doesExist(user.id)) return conflict('VERSION');
      this.#putUser(user);
      return fits(user);
    });
  }

  async updateUser(user: User): Promise<Written<User>> {
    const result = await this.transactions.run((): Written<User> => {
      if (!nameBytes(user.email)) throw tooLong('e-mail address');
      const stored = get<User>(this.env.users, user.id);
      const refused = versionConflict(stored, user) ?? this.#addressConflict(user);
      if (refused || !stored) return conflict(refused ?? 'ABSENT');
      if (stored.customerId !== user.customerId && isRemoved(this.env, user.customerId)) return conflict('ABSENT');
      const updated = { ...user, version: stored.version + 1 };
      this.#removeUser(stored);
      this.#putUser(updated);
      return fits(updated);
    });
    if (result.ok) this.#tell({ kind: 'user', userId: user.id });
    return result;
  }

  async getUser(id: Uuid): Promise<User | undefined> {
    return get<User>(this.env.users, id);
  }

  async findUserByEmail(email: string): Promise<User | undefined> {
    return follow<User>(this.env.users, nameBytes(email) && this.env.usersByEmail.get(email));
  }

  async listUsers(tenantId: Uuid, { authority, customerId }: UserFilter, query: PageQuery): Promise<Page<User>> {
    const users = this.#ofTenant<User>(this.env.users, this.env.usersByTenant, tenantId).filter(
      (user) =>
        (authority === undefined || user.authority === authority) &&
        (customerId === undefined || user.customerId === customerId),
    );
    return page(users, query, 'email');
  }

  async deleteUser(id: Uuid): Promise<Written<User>> {
    const result = await this.transactions.run((): Written<User> => {
      const stored = get<User>(this.env.users, id);
      if (!stored) return conflict('ABSENT');
      this.#removeUser(stored);
      return fits(stored);
    });
    if (result.ok) this.#tell({ kind: 'user', userId: id });
    return result;
  }

  onAccountChange(listener: (change: AccountChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #addressConflict({ id, email }: User): Conflict | undefined {
    const holder = this.env.usersByEmail.get(email);
    return holder === undefined || holder === id ? undefined : 'EMAIL_TAKEN';
  }

  #putUser(user: User): void {
    put(this.env.users, user);
    this.env.usersByEmail.put(user.email, user.id);
    this.env.usersByTenant.put(tenantKey(user), user.id);
  }

  #removeUser(user: User): void {
    this.env.users.remove(user.id);
    this.env.usersByEmail.remove(user.email);
    this.env.usersByTenant.remove(tenantKey(user));
  }

  #noteRemoval(removal: Removal): void {
    this.env.removals.put(removal.id, JSON.stringify(removal));
  }

  #ofTenant<T>(table: Table, index: BinaryTable, tenantId: Uuid): T[] {
    const ids = [...index.getRange(prefixRange(uuidBytes(tenantId)))].map(({ value }) => value);
    return ids.map((id) => get<T>(table, id)).filter(isPresent);
  }

  #tell(change: AccountChange): void {
    for (const listener of [...this.#listeners]) if (this.#listeners.has(listener)) listener(change);
  }
}

/** @throws TandemError BAD_REQUEST for a title that is too long to be stored */
function titleKey({ tenantId, title }: Customer): Buffer {
  const key = nameKey(tenantId, title);
  if (!key) throw tooLong('title');
  return key;
}

const tenantKey = ({ tenantId, id }: User) => Buffer.concat([uuidBytes(tenantId), uuidBytes(id)]);
