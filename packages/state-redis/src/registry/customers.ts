import {
  type Customer,
  type EpochMillis,
  type Page,
  type PageQuery,
  page,
  type Uuid,
  type Written,
} from '@tandem/core';
import { Commit } from './commit';
import { inOrderOf } from './names';
import { at, foundBy, type RegistryReader } from './reader';
import { parseRecord } from './records';
import { noteRemoval } from './removals';
import { nameField } from './tables';
import type { RegistryWriter } from './writer';

const titleField = ({ tenantId, title }: Pick<Customer, 'tenantId' | 'title'>) => nameField({ tenantId, name: title });

/** Customers and their titles. */
export class Customers {
  constructor(
    private readonly reader: RegistryReader,
    private readonly writer: RegistryWriter,
  ) {}

  create(customer: Customer): Promise<Written<Customer>> {
    const { id, tenantId } = customer;
    const commit = new Commit()
      .absent('removals', tenantId, 'ABSENT')
      .absent('removals', id, 'ABSENT')
      .absent('customer-titles', titleField(customer), 'NAME_TAKEN')
      .absent('customers', id, 'VERSION')
      .set('customers', id, JSON.stringify(customer))
      .set('customer-titles', titleField(customer), id);
    return this.writer.write(async () => ({ value: customer, commit }));
  }

  update(customer: Customer): Promise<Written<Customer>> {
    const { id } = customer;
    return this.writer.write(async () => {
      const [text] = await this.reader.read(['customers', at(id)]);
      const stored = parseRecord<Customer>(text);
      if (!stored) return 'ABSENT';
      if (stored.version !== customer.version) return 'VERSION';
      const value = { ...customer, version: stored.version + 1 };
      const commit = new Commit()
        .unchanged('customers', id, text)
        .set('customers', id, JSON.stringify(value))
        .tell({ kind: 'customer', customerId: id });
      if (titleField(stored) !== titleField(value)) {
        commit
          .absent('customer-titles', titleField(value), 'NAME_TAKEN')
          .remove('customer-titles', titleField(stored))
          .set('customer-titles', titleField(value), id);
      }
      return { value, commit };
    });
  }

  async get(id: Uuid): Promise<Customer | undefined> {
    const [text] = await this.reader.read(['customers', at(id)]);
    return parseRecord<Customer>(text);
  }

  async findByTitle(tenantId: Uuid, title: string): Promise<Customer | undefined> {
    const field = titleField({ tenantId, title });
    const [, text] = await this.reader.read(['customer-titles', at(field)], ['customers', foundBy(1)]);
    return parseRecord<Customer>(text);
  }

  async list(tenantId: Uuid, query: PageQuery): Promise<Page<Customer>> {
    const texts = await this.reader.all('customers');
    const customers = [...texts.values()].map((text) => JSON.parse(text) as Customer);
    return page(
      inOrderOf(
        customers.filter((customer) => customer.tenantId === tenantId),
        'title',
      ),
      query,
      'title',
    );
  }

  delete(id: Uuid, now: EpochMillis): Promise<Written<Customer>> {
    return this.writer.write(async () => {
      const [text] = await this.reader.read(['customers', at(id)]);
      const stored = parseRecord<Customer>(text);
      if (!stored) return 'ABSENT';
      const [tenantGoes] = await this.reader.read(['removals', at(stored.tenantId)]);
      const commit = new Commit()
        .unchanged('customers', id, text)
        .remove('customers', id)
        .remove('customer-titles', titleField(stored))
        .tell({ kind: 'customer', customerId: id });
      if (!tenantGoes) noteRemoval(commit, { kind: 'customer', id, tenantId: stored.tenantId, deletedAt: now });
      return { value: stored, commit };
    });
  }
}
