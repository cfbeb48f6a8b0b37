import type { Page, PageQuery } from './device-store';

/**
 * One page out of all entities of a tenant; by creation, newest first, where no order is asked for.
 * @param searched property that the text is looked for in
 */
export function page<T extends { readonly createdTime: number }>(
  entities: readonly T[],
  { pageSize, page: number, textSearch, sortProperty = 'createdTime', sortOrder = 'DESC' }: PageQuery,
  searched = 'name',
): Page<T> {
  const wanted = textSearch?.toLowerCase();
  const fitting = wanted
    ? entities.filter((entity) => text(entity, searched).toLowerCase().includes(wanted))
    : [...entities];
  const direction = sortOrder === 'ASC' ? 1 : -1;
  fitting.sort((a, b) => direction * compare(a, b, sortProperty));
  const from = number * pageSize;
  return { data: fitting.slice(from, from + pageSize), totalElements: fitting.length };
}

function compare(a: object, b: object, property: string): number {
  const [left, right] = [Reflect.get(a, property), Reflect.get(b, property)];
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  return text(a, property).localeCompare(text(b, property), 'en');
}

function text(entity: object, property: string): string {
  const value: unknown = Reflect.get(entity, property);
  return value === null || value === undefined ? '' : String(value);
}
