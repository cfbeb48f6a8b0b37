import type { ServerApiClient } from '../server-api-client/server-api-client';

const PAGE_SIZE = 500;
/** Rows that are worked on at the same time. */
const AT_ONCE = 8;

/** A list by page (server contract 1.3), page after page, its rows a few at a time. */
export async function eachOf<Row>(
  server: ServerApiClient,
  path: string,
  work: (row: Row) => Promise<void>,
  onPage: (done: number, of: number) => void = () => {},
): Promise<void> {
  let done = 0;
  for (let page = 0; ; page++) {
    const answer = JSON.parse(
      await server.get(`${path}?pageSize=${PAGE_SIZE}&page=${page}&sortProperty=createdTime`),
    ) as {
      data: Row[];
      hasNext: boolean;
      totalElements: number;
    };
    const rows = answer.data.values();
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (const row of rows) await work(row);
      }),
    );
    done += answer.data.length;
    if (answer.data.length > 0) onPage(done, answer.totalElements);
    if (!answer.hasNext) return;
  }
}
