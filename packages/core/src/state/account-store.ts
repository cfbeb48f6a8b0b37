import type { Account, ApiKey, Authority, Customer, Tenant, User, UserCredentials, Uuid } from '../devices/model';
import type { EpochMillis } from '../platform/clock';
import type { Page, PageQuery, Written } from './device-store';

/** Which users of a tenant. */
export interface UserFilter {
  readonly authority?: Authority;
  readonly customerId?: Uuid;
}

/** A tenant or customer that was deleted while something of it may be left. */
export interface Removal {
  readonly kind: 'tenant' | 'customer';
  readonly id: Uuid;
  /** Of a tenant its own id. */
  readonly tenantId: Uuid;
  readonly deletedAt: EpochMillis;
}

/** A change that whoever keeps accounts in memory has to hear of. */
export type AccountChange =
  /** The user, his credentials or one of his API keys. */
  | { readonly kind: 'user'; readonly userId: Uuid }
  | { readonly kind: 'customer'; readonly customerId: Uuid }
  /** Changes may have gone by unheard, or the store is another one by now: whatever is known has to be read again. */
  | { readonly kind: 'missed' };

/**
 * Tenants, customers, users and what lets them in. Every method is one atomic step: a conflict, or a process that dies in the middle, leaves
 * nothing half written. Names, addresses and versions: as in DeviceStore.
 *
 * A tenant or customer that is deleted is gone at once; what was its goes bit by bit, and until then there is a note of its
 * removal. As long as there is one, nothing new of the tenant or customer is made: users, customers, devices and profiles
 * with its id are refused as ABSENT.
 */
export interface AccountStore {
  createTenant(tenant: Tenant): Promise<Written<Tenant>>;
  updateTenant(tenant: Tenant): Promise<Written<Tenant>>;
  getTenant(id: Uuid): Promise<Tenant | undefined>;
  /** Searched by title. */
  listTenants(query: PageQuery): Promise<Page<Tenant>>;
  /** Removes the tenant itself and notes its removal. */
  deleteTenant(id: Uuid, now: EpochMillis): Promise<Written<Tenant>>;

  /** NAME_TAKEN when another customer of the tenant has the title. */
  createCustomer(customer: Customer): Promise<Written<Customer>>;
  /** NAME_TAKEN when another customer of the tenant has the title. Publishes `customer`. */
  updateCustomer(customer: Customer): Promise<Written<Customer>>;
  getCustomer(id: Uuid): Promise<Customer | undefined>;
  findCustomerByTitle(tenantId: Uuid, title: string): Promise<Customer | undefined>;
  /** Searched by title. */
  listCustomers(tenantId: Uuid, query: PageQuery): Promise<Page<Customer>>;
  /**
   * Removes the customer itself and notes its removal, unless the removal of its tenant is noted, of which it is a part.
   * Publishes `customer`.
   */
  deleteCustomer(id: Uuid, now: EpochMillis): Promise<Written<Customer>>;

  /** Oldest first. */
  listRemovals(limit: number): Promise<readonly Removal[]>;
  /** Nothing is left of it: forgets the note. */
  finishRemoval(id: Uuid): Promise<void>;

  /** User and credentials together or not at all. EMAIL_TAKEN when another user has the address. */
  createUser(user: User, credentials: UserCredentials): Promise<Written<User>>;
  /** EMAIL_TAKEN when another user has the address. Publishes `user`. */
  updateUser(user: User): Promise<Written<User>>;
  getUser(id: Uuid): Promise<User | undefined>;
  findUserByEmail(email: string): Promise<User | undefined>;
  /** Searched by e-mail address. */
  listUsers(tenantId: Uuid, filter: UserFilter, query: PageQuery): Promise<Page<User>>;
  /** With credentials and API keys. Publishes `user`. */
  deleteUser(id: Uuid): Promise<Written<User>>;

  getAccount(userId: Uuid): Promise<Account | undefined>;
  findAccountByEmail(email: string): Promise<Account | undefined>;
  /** Looked up by the SHA-256 of the token, whether or not it has expired. */
  findAccountByActivation(token: string): Promise<Account | undefined>;
  /** CREDENTIALS_TAKEN when another user has the activation token. Publishes `user`. */
  updateUserCredentials(credentials: UserCredentials): Promise<Written<UserCredentials>>;

  /**
   * CREDENTIALS_TAKEN when there is a key of this hash, ABSENT when its user is not there.
   * @param max keys of one user; LIMIT when there are as many
   */
  createApiKey(key: ApiKey, max: number): Promise<Written<ApiKey>>;
  /** The hash stays as it is. Publishes `user`. */
  updateApiKey(key: ApiKey): Promise<Written<ApiKey>>;
  getApiKey(id: Uuid): Promise<ApiKey | undefined>;
  /** Whether or not it is enabled or has expired. */
  findApiKey(valueHash: string): Promise<ApiKey | undefined>;
  /** Searched by description. */
  listApiKeys(userId: Uuid, query: PageQuery): Promise<Page<ApiKey>>;
  /** Publishes `user`. */
  deleteApiKey(id: Uuid): Promise<Written<ApiKey>>;

  /**
   * Heard in the order of the writes; in the process that writes, before the write's promise resolves; in other processes
   * soon after. A change can be read when it is heard. A conflict publishes nothing. A listener that throws harms neither the
   * write nor other listeners: it is logged.
   * @returns stops listening
   */
  onAccountChange(listener: (change: AccountChange) => void): () => void;
}
