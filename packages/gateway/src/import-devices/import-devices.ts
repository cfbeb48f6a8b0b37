import { type ImportColumn, ImportMapping, type ImportResult } from '@tandem/core';
import { type LoginOptions, loginOf } from '../server-api-client/login';
import { ServerApiClient } from '../server-api-client/server-api-client';
import { columnsOf } from './columns';
import { type FileRow, portionsOf, readRows } from './list-file';

export interface ImportCommandOptions extends LoginOptions {
  readonly url: string;
  readonly delimiter: string;
  /** Whether attributes and time series of devices that are there already are written as well. */
  readonly update: boolean;
}

/**
 * `tandem devices import`: sends a list of devices to a gateway, in portions.
 * @param print a line about each row that was not imported, and one about all of them
 * @returns whether every row was imported
 * @throws Error that says in one line what is in the way; when that is the file, nothing was sent
 */
export async function importDevices(
  file: string,
  options: ImportCommandOptions,
  print: (line: string) => void,
): Promise<boolean> {
  if (options.delimiter.length !== 1) throw new Error('The delimiter must be one character');
  const client = new ServerApiClient(options.url, loginOf(options));
  const columns = await checkedColumns(file, options.delimiter);
  const total = { created: 0, updated: 0, errors: 0 };
  let sent = 1;
  for await (const portion of portionsOf(withoutFirst(readRows(file, options.delimiter)))) {
    try {
      const { created, updated, errors, errorsList } = await send(client, portion.text, columns, options.update);
      total.created += created;
      total.updated += updated;
      total.errors += errors;
      for (const error of errorsList) print(inFile(error, portion.lines));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (sent === 1) throw error;
      throw new Error(`${message} (imported up to line ${sent} of ${file}; it can be imported again)`);
    }
    sent = portion.end;
  }
  print(`${total.created} created, ${total.updated} updated, ${total.errors} not imported`);
  return total.errors === 0;
}

/** The whole file is read once before anything is sent. */
async function checkedColumns(file: string, delimiter: string): Promise<ImportColumn[]> {
  let columns: ImportColumn[] | undefined;
  for await (const { values } of readRows(file, delimiter)) {
    if (columns) continue;
    columns = columnsOf(values);
    new ImportMapping(columns);
  }
  if (!columns) throw new Error(`${file} is empty`);
  return columns;
}

async function* withoutFirst(rows: AsyncIterable<FileRow>): AsyncGenerator<FileRow> {
  let first = true;
  for await (const row of rows) {
    if (!first) yield row;
    first = false;
  }
}

async function send(
  client: ServerApiClient,
  file: string,
  columns: readonly ImportColumn[],
  update: boolean,
): Promise<ImportResult> {
  const body = JSON.stringify({ file, mapping: { columns, delimiter: ',', header: false, update } });
  return JSON.parse(await client.post('/api/device/bulk_import', body)) as ImportResult;
}

/** `Line 3: ...` of the portion as a line of the file. */
const inFile = (error: string, lines: ReadonlyMap<number, number>): string =>
  error.replace(/^Line (\d+)/, (whole, line: string) => {
    const inList = lines.get(Number(line));
    return inList === undefined ? whole : `Line ${inList}`;
  });
