import { type Conflict, TandemError, type Uuid, type Written } from '@tandem/core';
import type { Table } from './environment';

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

type Versioned = { readonly version: number };

export function versionConflict(stored: Versioned | undefined, given: Versioned): Conflict | undefined {
  if (!stored) return 'ABSENT';
  return stored.version === given.version ? undefined : 'VERSION';
}
