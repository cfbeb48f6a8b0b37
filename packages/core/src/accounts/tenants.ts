import type { DeviceProfiles } from '../devices/device-profiles';
import { type Contact, NO_CONTACT, type Tenant, type Uuid } from '../devices/model';
import { TandemError } from '../errors';
import type { Clock } from '../platform/clock';
import type { Random } from '../platform/random';
import type { AccountStore } from '../state/account-store';
import { decideAgain } from '../state/decide-again';
import type { Page, PageQuery } from '../state/device-store';
import type { Removals } from './removals';
import { requireTitle } from './title';

/** What a caller gives to create or change a tenant. */
export interface TenantRequest extends Partial<Contact> {
  readonly title: string;
  readonly region?: string | null;
  /** An object as compact JSON text. */
  readonly additionalInfo?: string | null;
  readonly version?: number;
}

export class Tenants {
  constructor(
    private readonly store: AccountStore,
    private readonly profiles: DeviceProfiles,
    private readonly removals: Removals,
    private readonly clock: Clock,
    private readonly random: Random,
  ) {}

  /** With its default profile; one that a process left unfinished gets it with its first device. @throws BAD_REQUEST */
  async create(request: TenantRequest): Promise<Tenant> {
    const tenant = {
      id: this.random.uuid(),
      createdTime: this.clock.now(),
      ...contentOf(request),
      version: 1,
    };
    const created = await this.store.createTenant(tenant);
    if (!created.ok) throw new TandemError('INTERNAL');
    await this.profiles.default(tenant.id);
    return created.value;
  }

  /** @throws TandemError BAD_REQUEST, NOT_FOUND, VERSION_CONFLICT */
  async update(id: Uuid, request: TenantRequest): Promise<Tenant> {
    const updated = await decideAgain(request.version, async () => {
      const stored = await this.get(id);
      const next = { ...stored, ...contentOf(request), version: request.version ?? stored.version };
      return this.store.updateTenant(next);
    });
    if (updated.ok) return updated.value;
    throw updated.conflict === 'VERSION' ? new TandemError('VERSION_CONFLICT') : absent(id);
  }

  /** @throws TandemError NOT_FOUND */
  async get(id: Uuid): Promise<Tenant> {
    const tenant = await this.store.getTenant(id);
    if (!tenant) throw absent(id);
    return tenant;
  }

  list(query: PageQuery): Promise<Page<Tenant>> {
    return this.store.listTenants(query);
  }

  /** Everything it had goes. @throws TandemError NOT_FOUND */
  async delete(id: Uuid): Promise<void> {
    const deletedAt = this.clock.now();
    const deleted = await this.store.deleteTenant(id, deletedAt);
    if (!deleted.ok) throw absent(id);
    await this.removals.begin({ kind: 'tenant', id, tenantId: id, deletedAt });
  }
}

const contentOf = ({ title, region, additionalInfo, version: _, ...contact }: TenantRequest) => ({
  ...NO_CONTACT,
  ...contact,
  title: requireTitle('Tenant', title),
  region: region ?? null,
  additionalInfo: additionalInfo ?? null,
});

const absent = (id: Uuid) => new TandemError('NOT_FOUND', { message: `Tenant with id [${id}] is not found` });
