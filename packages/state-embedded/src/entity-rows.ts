import { type Conflict, TandemError, type Uuid, type Written } from '@tandem/core';
import type { BinaryTable, Table } from './environment';
import { nameKey } from './keys';

/** Entities as rows of their tables: JSON by id. */

export const fits = <T>(value: T): Written<T> => ({ ok: true, value });
export const conflict = (name: Conflict): Written<never> => ({ ok: false, conflict: name });

export function put<T extends { readonly id: Uuid }>(table: Table, entity: T): void {
  table.put(entity.id, JSON.stringify(entity));
}

export function get<T>(table: Table, id: string): T | undefined {
  const text = table.get(id);
  return text === undefined ? undefined : (JSON.parse(text) as T);
}

export const follow = <T>(table: Table, id: string | undefined): T | undefined =>
  id === undefined ? undefined : get<T>(table, id);

export const isPresent = <T>(entity: T | undefined): entity is T => entity !== undefined;

export const tooLong = (what: string) => new TandemError('BAD_REQUEST', { message: `The ${what} is too long` });

/** A name that is too long to be a key cannot be in the index. */
export function lookUp(index: BinaryTable, tenantId: Uuid, name: string): string | undefined {
  const key = nameKey(tenantId, name);
  return key && index.get(key);
}

/** @throws TandemError BAD_REQUEST for a name that is too long to be stored */
export function indexKey({ tenantId, name }: { readonly tenantId: Uuid; readonly name: string }): Buffer {
  const key = nameKey(tenantId, name);
  if (!key) throw tooLong('name');
  return key;
}

type Versioned = { readonly version: number };

export function versionConflict(stored: Versioned | undefined, given: Versioned): Conflict | undefined {
  if (!stored) return 'ABSENT';
  return stored.version === given.version ? undefined : 'VERSION';
}
