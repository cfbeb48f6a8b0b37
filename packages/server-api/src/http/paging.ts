import { type PageQuery, TandemError } from '@tandem/core';
import type { Query } from './query';

/** Clients ask for pages of up to this size (server contract 1.3). */
const PAGE_SIZE_MAX = 2_147_483_647;
/** What one answer holds at the most, so that a page cannot exhaust the memory: `hasNext` tells that more follows. */
const PAGE_SIZE_SERVED = 10_000;

/**
 * `pageSize` and `page` are required (server contract 1.3).
 * @param sortable names that may be sorted by
 * @throws TandemError BAD_REQUEST
 */
export function pageQuery(query: Query, sortable: readonly string[]): PageQuery {
  const pageSize = query.whole('pageSize', { min: 1, max: PAGE_SIZE_MAX });
  const page = query.whole('page', { min: 0, max: PAGE_SIZE_MAX });
  const sortProperty = query.text('sortProperty');
  if (sortProperty !== undefined && !sortable.includes(sortProperty)) {
    throw new TandemError('BAD_REQUEST', {
      message: `Parameter 'sortProperty' must be one of ${sortable.join(', ')}`,
    });
  }
  return {
    pageSize: Math.min(pageSize, PAGE_SIZE_SERVED),
    page,
    textSearch: query.text('textSearch'),
    sortProperty,
    sortOrder: query.choice('sortOrder', ['ASC', 'DESC']),
  };
}
