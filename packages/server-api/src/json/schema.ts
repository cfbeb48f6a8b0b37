import type { EntityType } from './entity-id';

/** JSON Schemas of what is answered: exact, since strict clients break on a member too many (server contract 1.4). */

/** Every member, and no other. @param title describes the schema once, by this name */
export const exactly = (title: string, properties: Readonly<Record<string, object>>): object => ({
  title,
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});

export const UUID = { type: 'string', format: 'uuid' };
export const TEXT = { type: 'string' };
export const WHOLE = { type: 'integer' };
export const FLAG = { type: 'boolean' };
export const EPOCH_MILLIS = { type: 'integer', format: 'int64' };
export const OBJECT = { type: 'object' };
/** Any JSON. */
export const ANY = {};
/** What this product does not have, and strict clients expect all the same. */
export const ALWAYS_NULL = { type: 'null' };

/** The type names may be several: `nullable({type: 'string'})` is a text or null. */
export const nullable = (schema: object): object => ({ anyOf: [schema, { type: 'null' }] });
export const listOf = (items: object): object => ({ type: 'array', items });
export const mapOf = (values: object): object => ({ type: 'object', additionalProperties: values });
export const oneOf = (...values: readonly string[]): object => ({ enum: values });

/** A reference to an entity (server contract 1.3). */
export const idSchema = (entityType: EntityType): object => ({
  type: 'object',
  properties: { entityType: { const: entityType }, id: UUID },
  required: ['entityType', 'id'],
  additionalProperties: false,
});

/** A page of server contract 1.3. */
export const pageOf = (title: string, items: object): object =>
  exactly(title, { data: listOf(items), totalPages: WHOLE, totalElements: WHOLE, hasNext: FLAG });
