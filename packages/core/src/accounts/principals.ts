import { credentialsHash } from '../auth/credentials-hash';
import { type Account, type ApiKey, type Customer, NULL_UUID, type User, type Uuid } from '../devices/model';
import { TandemError } from '../errors';
import type { Clock } from '../platform/clock';
import type { MetricsRegistry } from '../platform/metrics';
import type { AccountChange, AccountStore } from '../state/account-store';
import { isPublicCustomer } from './customers';
import { KeptEntities } from './kept-entities';

/** A session as a token names it. */
export interface SessionOfUser {
  readonly userId: Uuid;
  readonly sessionId: string;
  readonly generation: number;
}

/**
 * Who is behind a token or an API key, as it is stored now. A process cache answers all but the first; it drops an account
 * before its change is acknowledged. What is unknown is never kept: it counts from the moment it exists.
 */
export class Principals {
  readonly #accounts: KeptEntities<Account>;
  readonly #apiKeys: KeptEntities<ApiKey>;
  readonly #customers: KeptEntities<Customer>;
  /** Counts the changes heard: what was read before a change must not be kept after it. */
  #changes = 0;
  readonly #misses: { add(): void };

  constructor(
    private readonly store: AccountStore,
    max: number,
    private readonly clock: Clock,
    metrics: MetricsRegistry,
  ) {
    this.#accounts = new KeptEntities(max, ({ user }) => user.id);
    this.#apiKeys = new KeptEntities(max, ({ userId }) => userId);
    this.#customers = new KeptEntities(max, ({ id }) => id);
    store.onAccountChange((change) => this.#forget(change));
    this.#misses = metrics.counter('tandem_principals_cache_misses_total');
    metrics.gauge('tandem_principals_cached', () => this.#accounts.size + this.#apiKeys.size + this.#customers.size);
  }

  /** @throws TandemError UNAUTHORIZED when the account is gone or disabled, or the session was ended */
  async ofSession({ userId, sessionId, generation }: SessionOfUser): Promise<Account> {
    const account = await this.#account(userId);
    const { credentials } = account;
    const ended = credentials.endedSessions.some((session) => session.sessionId === sessionId);
    if (ended || credentials.generation !== generation) throw new TandemError('UNAUTHORIZED');
    return account;
  }

  /** @throws TandemError UNAUTHORIZED when it is unknown, disabled or has expired, or its account is gone or disabled */
  async ofApiKey(value: string): Promise<Account> {
    const hash = credentialsHash(value);
    const key = await this.#read(this.#apiKeys, hash, () => this.store.findApiKey(hash));
    const expired = key !== undefined && key.expirationTime !== 0 && key.expirationTime <= this.clock.now();
    if (!key?.enabled || expired) throw new TandemError('UNAUTHORIZED');
    return this.#account(key.userId);
  }

  /** What everybody may do who knows the id of a public customer. @throws TandemError UNAUTHORIZED */
  async ofPublicCustomer(customerId: Uuid): Promise<User> {
    const customer = await this.#read(this.#customers, customerId, () => this.store.getCustomer(customerId));
    if (!customer || !isPublicCustomer(customer)) throw new TandemError('UNAUTHORIZED');
    return publicUser(customer);
  }

  async #account(userId: Uuid): Promise<Account> {
    const account = await this.#read(this.#accounts, userId, () => this.store.getAccount(userId));
    if (!account?.credentials.enabled) throw new TandemError('UNAUTHORIZED');
    return account;
  }

  async #read<T>(kept: KeptEntities<T>, name: string, read: () => Promise<T | undefined>): Promise<T | undefined> {
    const known = kept.get(name);
    if (known) return known;
    this.#misses.add();
    const before = this.#changes;
    const found = await read();
    if (found && before === this.#changes) kept.keep(name, found);
    return found;
  }

  #forget(change: AccountChange): void {
    this.#changes++;
    switch (change.kind) {
      case 'user':
        this.#accounts.drop(change.userId);
        this.#apiKeys.drop(change.userId);
        break;
      case 'customer':
        this.#customers.drop(change.customerId);
        break;
      default:
        for (const kept of [this.#accounts, this.#apiKeys, this.#customers]) kept.clear();
    }
  }
}

/** A user that is nowhere stored (server contract 1.1: `isPublic`). */
const publicUser = (customer: Customer): User => ({
  id: NULL_UUID,
  createdTime: customer.createdTime,
  tenantId: customer.tenantId,
  customerId: customer.id,
  email: customer.id,
  authority: 'CUSTOMER_USER',
  firstName: 'Public',
  lastName: 'Public',
  phone: null,
  additionalInfo: null,
  version: customer.version,
});

/** Whom limits for each user count: all who act for a public customer are one. */
export const limitedAs = ({ id, customerId }: Pick<User, 'id' | 'customerId'>): Uuid =>
  id === NULL_UUID ? customerId : id;
