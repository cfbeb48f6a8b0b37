import { type Contact, type Customer, NO_CONTACT, type Uuid } from '../devices/model';
import { TandemError } from '../errors';
import type { Clock } from '../platform/clock';
import type { Random } from '../platform/random';
import type { AccountStore } from '../state/account-store';
import { decideAgain } from '../state/decide-again';
import type { Conflict, Page, PageQuery, Written } from '../state/device-store';
import type { Removals } from './removals';
import { requireTitle } from './title';

/** What a caller gives to create or change a customer. */
export interface CustomerRequest extends Partial<Contact> {
  readonly title: string;
  /** An object as compact JSON text. */
  readonly additionalInfo?: string | null;
  readonly version?: number;
}

const PUBLIC_CUSTOMER_TITLE = 'Public';
const PUBLIC_INFO = '{"isPublic":true}';

/** Whether everybody who knows its id may act as a user of the customer. */
export function isPublicCustomer({ additionalInfo }: Customer): boolean {
  const info: unknown = additionalInfo === null ? null : JSON.parse(additionalInfo);
  return typeof info === 'object' && info !== null && Reflect.get(info, 'isPublic') === true;
}

/** Customers of a tenant. A foreign customer is as absent as one that never was. */
export class Customers {
  constructor(
    private readonly store: AccountStore,
    private readonly removals: Removals,
    private readonly clock: Clock,
    private readonly random: Random,
  ) {}

  /** @throws TandemError BAD_REQUEST */
  async create(tenantId: Uuid, request: CustomerRequest): Promise<Customer> {
    return written(
      await this.store.createCustomer({
        id: this.random.uuid(),
        createdTime: this.clock.now(),
        tenantId,
        ...contentOf(request),
        version: 1,
      }),
    );
  }

  /** @throws TandemError BAD_REQUEST, NOT_FOUND, VERSION_CONFLICT */
  async update(tenantId: Uuid, id: Uuid, request: CustomerRequest): Promise<Customer> {
    const result = await decideAgain(request.version, async () => {
      const stored = await this.get(tenantId, id);
      const next = { ...stored, ...contentOf(request), version: request.version ?? stored.version };
      return this.store.updateCustomer(next);
    });
    return written(result);
  }

  /** @throws TandemError NOT_FOUND */
  async get(tenantId: Uuid, id: Uuid): Promise<Customer> {
    const customer = await this.store.getCustomer(id);
    if (customer?.tenantId !== tenantId) throw absent(id);
    return customer;
  }

  /** @throws TandemError NOT_FOUND */
  async findByTitle(tenantId: Uuid, title: string): Promise<Customer> {
    const customer = await this.store.findCustomerByTitle(tenantId, title);
    if (!customer) throw new TandemError('NOT_FOUND', { message: `Customer with title [${title}] is not found` });
    return customer;
  }

  list(tenantId: Uuid, query: PageQuery): Promise<Page<Customer>> {
    return this.store.listCustomers(tenantId, query);
  }

  /** The one that public devices are assigned to; made when the tenant has none yet. */
  async findOrCreatePublic(tenantId: Uuid): Promise<Customer> {
    const title = PUBLIC_CUSTOMER_TITLE;
    const existing = await this.store.findCustomerByTitle(tenantId, title);
    if (existing) return existing;
    try {
      return await this.create(tenantId, { title, additionalInfo: PUBLIC_INFO });
    } catch (error) {
      // Another request may have made it between the look-up and the write.
      const raced = await this.store.findCustomerByTitle(tenantId, title);
      if (raced) return raced;
      throw error;
    }
  }

  /** Its users go, its devices are unassigned. @throws TandemError NOT_FOUND */
  async delete(tenantId: Uuid, id: Uuid): Promise<void> {
    await this.get(tenantId, id);
    const deletedAt = this.clock.now();
    const deleted = await this.store.deleteCustomer(id, deletedAt);
    if (!deleted.ok) throw absent(id);
    await this.removals.begin({ kind: 'customer', id, tenantId, deletedAt });
  }
}

const contentOf = ({ title, additionalInfo, version: _, ...contact }: CustomerRequest) => ({
  ...NO_CONTACT,
  ...contact,
  title: requireTitle('Customer', title),
  additionalInfo: additionalInfo ?? null,
});

const absent = (id: Uuid) => new TandemError('NOT_FOUND', { message: `Customer with id [${id}] is not found` });

const CONFLICTS: Partial<Record<Conflict, () => TandemError>> = {
  NAME_TAKEN: () => new TandemError('BAD_REQUEST', { message: 'Customer with such title already exists!' }),
  VERSION: () => new TandemError('VERSION_CONFLICT'),
  ABSENT: () => new TandemError('NOT_FOUND'),
};

function written<T>(result: Written<T>): T {
  if (result.ok) return result.value;
  throw CONFLICTS[result.conflict]?.() ?? new TandemError('BAD_REQUEST', { message: result.conflict });
}
