import type { Page, PageQuery } from '@tandem/core';

/**
 * A page of server contract 1.3.
 * @param items each as JSON text
 */
export function pageJson(page: Page<unknown>, items: readonly string[], query: PageQuery): string {
  const totalPages = Math.ceil(page.totalElements / query.pageSize);
  const rest = { totalPages, totalElements: page.totalElements, hasNext: query.page + 1 < totalPages };
  return `{"data":[${items.join(',')}],${JSON.stringify(rest).slice(1)}`;
}
