import { type EpochMillis, type Page, type PageQuery, page, type Tenant, type Uuid, type Written } from '@tandem/core';
import { Commit } from './commit';
import { inOrderOf } from './names';
import { at, type RegistryReader } from './reader';
import { parseTenant } from './records';
import { noteRemoval } from './removals';
import type { RegistryWriter } from './writer';

export class Tenants {
  constructor(
    private readonly reader: RegistryReader,
    private readonly writer: RegistryWriter,
  ) {}

  create(tenant: Tenant): Promise<Written<Tenant>> {
    const commit = new Commit()
      .absent('removals', tenant.id, 'ABSENT')
      .absent('tenants', tenant.id, 'VERSION')
      .set('tenants', tenant.id, JSON.stringify(tenant));
    return this.writer.write(async () => ({ value: tenant, commit }));
  }

  update(tenant: Tenant): Promise<Written<Tenant>> {
    return this.writer.write(async () => {
      const [text] = await this.reader.read(['tenants', at(tenant.id)]);
      const stored = parseTenant(text);
      if (!stored) return 'ABSENT';
      if (stored.version !== tenant.version) return 'VERSION';
      const value = { ...tenant, version: stored.version + 1 };
      const commit = new Commit()
        .unchanged('tenants', tenant.id, text)
        .set('tenants', tenant.id, JSON.stringify(value));
      return { value, commit };
    });
  }

  async get(id: Uuid): Promise<Tenant | undefined> {
    const [text] = await this.reader.read(['tenants', at(id)]);
    return parseTenant(text);
  }

  async list(query: PageQuery): Promise<Page<Tenant>> {
    const texts = await this.reader.all('tenants');
    const tenants = [...texts.values()].flatMap((text) => parseTenant(text) ?? []);
    return page(inOrderOf(tenants, 'title'), query, 'title');
  }

  delete(id: Uuid, now: EpochMillis): Promise<Written<Tenant>> {
    return this.writer.write(async () => {
      const [text] = await this.reader.read(['tenants', at(id)]);
      const stored = parseTenant(text);
      if (!stored) return 'ABSENT';
      const commit = new Commit().unchanged('tenants', id, text).remove('tenants', id);
      noteRemoval(commit, { kind: 'tenant', id, tenantId: id, deletedAt: now });
      return { value: stored, commit };
    });
  }
}
