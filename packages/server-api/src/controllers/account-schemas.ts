import type { Authority, JsonObject } from '@tandem/core';
import type { EntityIdJson } from '../json/entity-id';

const UUID = { type: 'string', format: 'uuid' };
const PLAIN_TEXT = { type: 'string', maxLength: 255, format: 'storable-text' };
const NULLABLE_TEXT = { ...PLAIN_TEXT, type: ['string', 'null'] };
const NULLABLE_OBJECT = { type: ['object', 'null'] };
const NULLABLE_VERSION = { type: ['integer', 'null'] };

const idOf = (entityType: EntityIdJson['entityType']) => ({
  type: ['object', 'null'],
  required: ['id'],
  properties: { id: UUID, entityType: { enum: [entityType] } },
});

type Reference = { readonly id: string } | null;

const CONTACT = {
  country: NULLABLE_TEXT,
  state: NULLABLE_TEXT,
  city: NULLABLE_TEXT,
  address: NULLABLE_TEXT,
  address2: NULLABLE_TEXT,
  zip: NULLABLE_TEXT,
  phone: NULLABLE_TEXT,
  email: NULLABLE_TEXT,
};

/** A tenant or customer as it is sent. Null is absent. */
export interface TitledBody {
  readonly id?: Reference;
  readonly title: string;
  readonly region?: string | null;
  readonly additionalInfo?: JsonObject | null;
  readonly version?: number | null;
  readonly country?: string | null;
  readonly state?: string | null;
  readonly city?: string | null;
  readonly address?: string | null;
  readonly address2?: string | null;
  readonly zip?: string | null;
  readonly phone?: string | null;
  readonly email?: string | null;
}

const titled = (properties: object) => ({
  type: 'object',
  required: ['title'],
  properties: {
    ...properties,
    title: PLAIN_TEXT,
    ...CONTACT,
    additionalInfo: NULLABLE_OBJECT,
    version: NULLABLE_VERSION,
  },
});

export const TENANT_SCHEMA = titled({ id: idOf('TENANT'), region: NULLABLE_TEXT });
export const CUSTOMER_SCHEMA = titled({ id: idOf('CUSTOMER'), tenantId: idOf('TENANT') });

/** A user as it is sent. Null is absent. */
export interface UserBody {
  readonly id?: Reference;
  readonly tenantId?: Reference;
  readonly customerId?: Reference;
  readonly authority?: Authority | null;
  readonly email: string;
  readonly firstName?: string | null;
  readonly lastName?: string | null;
  readonly phone?: string | null;
  readonly additionalInfo?: JsonObject | null;
  readonly version?: number | null;
}

export const USER_SCHEMA = {
  type: 'object',
  required: ['email'],
  properties: {
    id: idOf('USER'),
    tenantId: idOf('TENANT'),
    customerId: idOf('CUSTOMER'),
    authority: { enum: ['SYS_ADMIN', 'TENANT_ADMIN', 'CUSTOMER_USER', null] },
    email: PLAIN_TEXT,
    firstName: NULLABLE_TEXT,
    lastName: NULLABLE_TEXT,
    phone: NULLABLE_TEXT,
    additionalInfo: NULLABLE_OBJECT,
    version: NULLABLE_VERSION,
  },
};

/** Server contract 2. */
export interface ApiKeyBody {
  readonly id?: Reference;
  readonly userId: { readonly id: string };
  readonly description: string;
  readonly expirationTime?: number | null;
  readonly enabled?: boolean | null;
}

export const API_KEY_SCHEMA = {
  type: 'object',
  required: ['userId', 'description'],
  properties: {
    id: idOf('API_KEY'),
    userId: { ...idOf('USER'), type: 'object' },
    description: PLAIN_TEXT,
    expirationTime: { type: ['integer', 'null'], minimum: 0 },
    enabled: { type: ['boolean', 'null'] },
  },
};
