import { type Page, type PageQuery, page, type User, type UserFilter, type Uuid, type Written } from '@tandem/core';
import { Commit } from './commit';
import { inOrderOf } from './names';
import { at, foundBy, type RegistryReader } from './reader';
import { parseRecord } from './records';
import type { RegistryWriter } from './writer';

/** Users and their e-mail addresses. */
export class Users {
  constructor(
    private readonly reader: RegistryReader,
    private readonly writer: RegistryWriter,
  ) {}

  create(user: User): Promise<Written<User>> {
    const commit = new Commit()
      .absent('removals', user.tenantId, 'ABSENT')
      .absent('removals', user.customerId, 'ABSENT')
      .absent('users-by-email', user.email, 'EMAIL_TAKEN')
      .absent('users', user.id, 'VERSION')
      .set('users', user.id, JSON.stringify(user))
      .set('users-by-email', user.email, user.id);
    return this.writer.write(async () => ({ value: user, commit }));
  }

  update(user: User): Promise<Written<User>> {
    return this.writer.write(async () => {
      const [text] = await this.reader.read(['users', at(user.id)]);
      const stored = parseRecord<User>(text);
      if (!stored) return 'ABSENT';
      if (stored.version !== user.version) return 'VERSION';
      const value = { ...user, version: stored.version + 1 };
      const commit = new Commit()
        .unchanged('users', user.id, text)
        .set('users', user.id, JSON.stringify(value))
        .tell({ kind: 'user', userId: user.id });
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

  async get(id: Uuid): Promise<User | undefined> {
    const [user] = await this.reader.read(['users', at(id)]);
    return parseRecord<User>(user);
  }

  async findByEmail(email: string): Promise<User | undefined> {
    const [, user] = await this.reader.read(['users-by-email', at(email)], ['users', foundBy(1)]);
    return parseRecord<User>(user);
  }

  async list(tenantId: Uuid, { authority, customerId }: UserFilter, query: PageQuery): Promise<Page<User>> {
    const texts = await this.reader.all('users');
    const users = [...texts.values()].map((text) => JSON.parse(text) as User);
    const wanted = users.filter(
      (user) =>
        user.tenantId === tenantId &&
        (authority === undefined || user.authority === authority) &&
        (customerId === undefined || user.customerId === customerId),
    );
    return page(inOrderOf(wanted, 'email'), query, 'email');
  }

  delete(id: Uuid): Promise<Written<User>> {
    return this.writer.write(async () => {
      const [text] = await this.reader.read(['users', at(id)]);
      const stored = parseRecord<User>(text);
      if (!stored) return 'ABSENT';
      const commit = new Commit()
        .unchanged('users', id, text)
        .remove('users', id)
        .remove('users-by-email', stored.email)
        .tell({ kind: 'user', userId: id });
      return { value: stored, commit };
    });
  }
}
