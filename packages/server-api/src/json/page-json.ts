import type { Page, PageQuery } from '@tandem/core';

/**
 * A page of server contract 1.3.
 * @param items each as JSON text
 */
export function pageJson(page: Page<unknown>, items: readonly string[], query: PageQuery): string {
  // Piece by piece, and so written out once: `join` would do it for every item before.
  let data = '';
  for (const item of items) {
    if (data !== '') data += ',';
    data += item;
  }
  return `{"data":[${data}],${restOf(page, query)}`;
}

/**
 * As {@link pageJson}, for items that may be too long to be held all at once.
 * @param batches of items, each item as JSON text
 */
export async function* pagePieces(
  page: Page<unknown>,
  batches: AsyncIterable<readonly string[]>,
  query: PageQuery,
): AsyncGenerator<string> {
  let lead = '{"data":[';
  for await (const items of batches) {
    if (items.length === 0) continue;
    yield lead + items.join(',');
    lead = ',';
  }
  yield `${lead === ',' ? '' : lead}],${restOf(page, query)}`;
}

function restOf({ totalElements }: Page<unknown>, query: PageQuery): string {
  const totalPages = Math.ceil(totalElements / query.pageSize);
  return JSON.stringify({ totalPages, totalElements, hasNext: query.page + 1 < totalPages }).slice(1);
}
