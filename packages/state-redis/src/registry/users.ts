import {
  type Account,
  type ApiKey,
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
import { Commit } from './commit';
import { inOrderOf } from './names';
import { at, foundBy, type RegistryReader, type Step } from './reader';
import { parseApiKey, parseUser, parseUserCredentials } from './records';
import { keyIds } from './tables';
import type { RegistryWriter } from './writer';

/** Users, their e-mail addresses and how they get in. */
export class Users {
  constructor(
    private readonly reader: RegistryReader,
    private readonly writer: RegistryWriter,
    private readonly records: SealedRecords,
  ) {}

  create(user: User, credentials: UserCredentials): Promise<Written<User>> {
    const commit = new Commit()
      .absent('removals', user.tenantId, 'ABSENT')
      .absent('removals', user.customerId, 'ABSENT')
      .absent('users-by-email', user.email, 'EMAIL_TAKEN')
      .absent('users', user.id, 'VERSION')
      .set('users', user.id, JSON.stringify(user))
      .set('users-by-email', user.email, user.id)
      .set('user-credentials', user.id, this.records.userCredentialsText(credentials));
    takeToken(commit, credentials);
    return this.writer.write(async () => ({ value: user, commit }));
  }

  update(user: User): Promise<Written<User>> {
    return this.writer.write(async () => {
      const [text, credentialsText] = await this.reader.read(['users', at(user.id)], ['user-credentials', at(user.id)]);
      const stored = parseUser(text);
      if (!stored) return 'ABSENT';
      if (stored.version !== user.version) return 'VERSION';
      const value = { ...user, version: stored.version + 1 };
      const commit = new Commit()
        .unchanged('users', user.id, text)
        .set('users', user.id, JSON.stringify(value))
        .tell({ kind: 'user', userId: user.id });
      const within = parseUserCredentials(this.records, user.id, undefined, text);
      if (within && credentialsText === undefined) {
        commit
          .unchanged('user-credentials', user.id, credentialsText)
          .set('user-credentials', user.id, this.records.userCredentialsText(within));
      }
      if (stored.customerId !== user.customerId) commit.absent('removals', user.customerId, 'ABSENT');
      if (stored.email !== user.email) {
        commit
          .absent('users-by-email', user.email, 'EMAIL_TAKEN')
          .remove('users-by-email', stored.email)
          .set('users-by-email', user.email, user.id);
      }
      return { value, commit };
    });
  }

  delete(id: Uuid): Promise<Written<User>> {
    return this.writer.write(async () => {
      const [text, credentialsText, keysText] = await this.reader.read(
        ['users', at(id)],
        ['user-credentials', at(id)],
        ['user-api-keys', at(id)],
      );
      const stored = parseUser(text);
      if (!stored) return 'ABSENT';
      const commit = new Commit()
        .unchanged('users', id, text)
        .unchanged('user-credentials', id, credentialsText)
        .unchanged('user-api-keys', id, keysText)
        .remove('users', id)
        .remove('users-by-email', stored.email)
        .remove('user-credentials', id)
        .remove('user-api-keys', id)
        .tell({ kind: 'user', userId: id });
      const credentials = parseUserCredentials(this.records, id, credentialsText, text);
      if (credentials) freeToken(commit, credentials);
      for (const key of await this.#keys(keysText)) {
        commit.remove('api-keys', key.id).remove('api-keys-by-hash', key.valueHash);
      }
      return { value: stored, commit };
    });
  }

  updateCredentials(credentials: UserCredentials): Promise<Written<UserCredentials>> {
    const { userId } = credentials;
    return this.writer.write(async () => {
      const [text, userText] = await this.reader.read(['user-credentials', at(userId)], ['users', at(userId)]);
      const stored = parseUserCredentials(this.records, userId, text, userText);
      if (!stored) return 'ABSENT';
      if (stored.version !== credentials.version) return 'VERSION';
      const value = { ...credentials, version: stored.version + 1 };
      const commit = new Commit()
        .unchanged('user-credentials', userId, text)
        .set('user-credentials', userId, this.records.userCredentialsText(value))
        .tell({ kind: 'user', userId });
      if (text === undefined) {
        commit.unchanged('users', userId, userText).set('users', userId, JSON.stringify(parseUser(userText)));
      }
      if (stored.activation?.token !== credentials.activation?.token) {
        freeToken(commit, stored);
        takeToken(commit, credentials);
      }
      return { value, commit };
    });
  }

  async get(id: Uuid): Promise<User | undefined> {
    const [user] = await this.reader.read(['users', at(id)]);
    return parseUser(user);
  }

  async findByEmail(email: string): Promise<User | undefined> {
    const [, user] = await this.reader.read(['users-by-email', at(email)], ['users', foundBy(1)]);
    return parseUser(user);
  }

  async account(id: Uuid): Promise<Account | undefined> {
    const [user, credentials] = await this.reader.read(['users', at(id)], ['user-credentials', at(id)]);
    return this.#accountOf(user, credentials);
  }

  findAccountByEmail(email: string): Promise<Account | undefined> {
    return this.#follow(['users-by-email', at(email)]);
  }

  findAccountByActivation(token: string): Promise<Account | undefined> {
    return this.#follow(['activations', at(credentialsHash(token))]);
  }

  async list(tenantId: Uuid, { authority, customerId }: UserFilter, query: PageQuery): Promise<Page<User>> {
    const texts = await this.reader.all('users');
    const users = [...texts.values()].flatMap((text) => parseUser(text) ?? []);
    const wanted = users.filter(
      (user) =>
        user.tenantId === tenantId &&
        (authority === undefined || user.authority === authority) &&
        (customerId === undefined || user.customerId === customerId),
    );
    return page(inOrderOf(wanted, 'email'), query, 'email');
  }

  /** @param index that finds the user's id */
  async #follow(index: Step): Promise<Account | undefined> {
    const [, user, credentials] = await this.reader.read(
      index,
      ['users', foundBy(1)],
      ['user-credentials', foundBy(1)],
    );
    return this.#accountOf(user, credentials);
  }

  #accountOf(userText: string | undefined, credentialsText: string | undefined): Account | undefined {
    const user = parseUser(userText);
    const credentials = user && parseUserCredentials(this.records, user.id, credentialsText, userText);
    return user && credentials && { user, credentials };
  }

  async #keys(text: string | undefined): Promise<ApiKey[]> {
    const ids = keyIds(text);
    if (ids.length === 0) return [];
    const texts = await this.reader.read(...ids.map((id): Step => ['api-keys', at(id)]));
    return texts.flatMap((key) => parseApiKey(key) ?? []);
  }
}

function takeToken(commit: Commit, { userId, activation }: UserCredentials): void {
  if (!activation) return;
  const hash = credentialsHash(activation.token);
  commit.absent('activations', hash, 'CREDENTIALS_TAKEN').set('activations', hash, userId);
}

function freeToken(commit: Commit, { activation }: UserCredentials): void {
  if (activation) commit.remove('activations', credentialsHash(activation.token));
}
