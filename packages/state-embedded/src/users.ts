import {
  type Account,
  type Conflict,
  credentialsHash,
  type Page,
  type PageQuery,
  page,
  type SealedRecords,
  type User,
  type UserCredentials,
  type UserFilter,
  type Uuid,
  type Written,
} from '@tandem/core';
import type { EmbeddedApiKeys } from './api-keys';
import { conflict, fits, follow, get, isPresent, put, tooLong, versionConflict } from './entity-rows';
import type { Environment } from './environment';
import { nameBytes, prefixRange, uuidBytes } from './keys';
import { isRemoved } from './removals';
import type { Transactions } from './transactions';

/** Users and how they get in. */
export class EmbeddedUsers {
  /** @param changed hears of a user whose change has been written */
  constructor(
    private readonly env: Environment,
    private readonly transactions: Transactions,
    private readonly records: SealedRecords,
    private readonly apiKeys: EmbeddedApiKeys,
    private readonly changed: (userId: Uuid) => void,
  ) {}

  create(user: User, credentials: UserCredentials): Promise<Written<User>> {
    return this.transactions.run(() => {
      requireShort(user);
      if (isRemoved(this.env, user.tenantId, user.customerId)) return conflict('ABSENT');
      if (this.env.usersByEmail.doesExist(user.email)) return conflict('EMAIL_TAKEN');
      if (this.env.users.doesExist(user.id)) return conflict('VERSION');
      if (this.#isTokenTaken(credentials)) return conflict('CREDENTIALS_TAKEN');
      this.#put(user);
      this.#putCredentials(credentials);
      return fits(user);
    });
  }

  async update(user: User): Promise<Written<User>> {
    const result = await this.transactions.run((): Written<User> => {
      requireShort(user);
      const stored = get<User>(this.env.users, user.id);
      const refused = versionConflict(stored, user) ?? this.#addressConflict(user);
      if (refused || !stored) return conflict(refused ?? 'ABSENT');
      if (stored.customerId !== user.customerId && isRemoved(this.env, user.customerId)) return conflict('ABSENT');
      const updated = { ...user, version: stored.version + 1 };
      this.#remove(stored);
      this.#put(updated);
      return fits(updated);
    });
    if (result.ok) this.changed(user.id);
    return result;
  }

  async delete(id: Uuid): Promise<Written<User>> {
    const result = await this.transactions.run((): Written<User> => {
      const stored = get<User>(this.env.users, id);
      if (!stored) return conflict('ABSENT');
      const credentials = this.#credentials(id);
      this.#remove(stored);
      this.env.userCredentials.remove(id);
      if (credentials) this.#removeToken(credentials);
      this.apiKeys.removeAll(id);
      return fits(stored);
    });
    if (result.ok) this.changed(id);
    return result;
  }

  async updateCredentials(credentials: UserCredentials): Promise<Written<UserCredentials>> {
    const { userId } = credentials;
    const result = await this.transactions.run((): Written<UserCredentials> => {
      const stored = this.#credentials(userId);
      const refused = versionConflict(stored, credentials);
      if (refused || !stored) return conflict(refused ?? 'ABSENT');
      if (this.#isTokenTaken(credentials)) return conflict('CREDENTIALS_TAKEN');
      const updated = { ...credentials, version: stored.version + 1 };
      this.#removeToken(stored);
      this.#putCredentials(updated);
      return fits(updated);
    });
    if (result.ok) this.changed(userId);
    return result;
  }

  get(id: Uuid): User | undefined {
    return get<User>(this.env.users, id);
  }

  findByEmail(email: string): User | undefined {
    return follow<User>(this.env.users, nameBytes(email) && this.env.usersByEmail.get(email));
  }

  account(user: User | undefined): Account | undefined {
    const credentials = user && this.#credentials(user.id);
    return credentials && { user, credentials };
  }

  findByActivation(token: string): User | undefined {
    return follow<User>(this.env.users, this.env.activations.get(credentialsHash(token)));
  }

  list(tenantId: Uuid, { authority, customerId }: UserFilter, query: PageQuery): Page<User> {
    const ids = [...this.env.usersByTenant.getRange(prefixRange(uuidBytes(tenantId)))].map(({ value }) => value);
    const users = ids
      .map((id) => this.get(id))
      .filter(isPresent)
      .filter(
        (user) =>
          (authority === undefined || user.authority === authority) &&
          (customerId === undefined || user.customerId === customerId),
      );
    return page(users, query, 'email');
  }

  #addressConflict({ id, email }: User): Conflict | undefined {
    const holder = this.env.usersByEmail.get(email);
    return holder === undefined || holder === id ? undefined : 'EMAIL_TAKEN';
  }

  #isTokenTaken({ userId, activation }: UserCredentials): boolean {
    const holder = activation ? this.env.activations.get(credentialsHash(activation.token)) : undefined;
    return holder !== undefined && holder !== userId;
  }

  #put(user: User): void {
    put(this.env.users, user);
    this.env.usersByEmail.put(user.email, user.id);
    this.env.usersByTenant.put(tenantKey(user), user.id);
  }

  #remove(user: User): void {
    this.env.users.remove(user.id);
    this.env.usersByEmail.remove(user.email);
    this.env.usersByTenant.remove(tenantKey(user));
  }

  #credentials(userId: Uuid): UserCredentials | undefined {
    const text = this.env.userCredentials.get(userId);
    return text === undefined ? undefined : this.records.userCredentials(userId, text);
  }

  #putCredentials(credentials: UserCredentials): void {
    const { userId, activation } = credentials;
    this.env.userCredentials.put(userId, this.records.userCredentialsText(credentials));
    if (activation) this.env.activations.put(credentialsHash(activation.token), userId);
  }

  #removeToken({ activation }: UserCredentials): void {
    if (activation) this.env.activations.remove(credentialsHash(activation.token));
  }
}

/** @throws TandemError BAD_REQUEST for an address that is too long to be stored */
function requireShort({ email }: User): void {
  if (!nameBytes(email)) throw tooLong('e-mail address');
}

/** What finds the user among those of his tenant. */
export const tenantKey = ({ tenantId, id }: User) => Buffer.concat([uuidBytes(tenantId), uuidBytes(id)]);
