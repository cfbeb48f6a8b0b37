import type { Tenant, User, Uuid, Written } from '@tandem/core';
import { Commit } from './commit';
import { at, foundBy, type RegistryReader } from './reader';
import { parseRecord } from './records';
import type { RegistryWriter } from './writer';

/** Tenants and users. */
export class Accounts {
  constructor(
    private readonly reader: RegistryReader,
    private readonly writer: RegistryWriter,
  ) {}

  createTenant(tenant: Tenant): Promise<Written<Tenant>> {
    const commit = new Commit().set('tenants', tenant.id, JSON.stringify(tenant));
    return this.writer.write(async () => ({ value: tenant, commit }));
  }

  async getTenant(id: Uuid): Promise<Tenant | undefined> {
    const [tenant] = await this.reader.read(['tenants', at(id)]);
    return parseRecord<Tenant>(tenant);
  }

  createUser(user: User): Promise<Written<User>> {
    const commit = new Commit()
      .absent('users-by-email', user.email, 'EMAIL_TAKEN')
      .absent('users', user.id, 'VERSION')
      .set('users', user.id, JSON.stringify(user))
      .set('users-by-email', user.email, user.id);
    return this.writer.write(async () => ({ value: user, commit }));
  }

  updateUser(user: User): Promise<Written<User>> {
    return this.writer.write(async () => {
      const [text] = await this.reader.read(['users', at(user.id)]);
      const stored = parseRecord<User>(text);
      if (!stored) return 'ABSENT';
      if (stored.version !== user.version) return 'VERSION';
      const value = { ...user, version: stored.version + 1 };
      const commit = new Commit().unchanged('users', user.id, text).set('users', user.id, JSON.stringify(value));
      if (stored.email !== user.email) {
        commit
          .absent('users-by-email', user.email, 'EMAIL_TAKEN')
          .remove('users-by-email', stored.email)
          .set('users-by-email', user.email, user.id);
      }
      return { value, commit };
    });
  }

  async getUser(id: Uuid): Promise<User | undefined> {
    const [user] = await this.reader.read(['users', at(id)]);
    return parseRecord<User>(user);
  }

  async findUserByEmail(email: string): Promise<User | undefined> {
    const [, user] = await this.reader.read(['users-by-email', at(email)], ['users', foundBy(1)]);
    return parseRecord<User>(user);
  }
}
