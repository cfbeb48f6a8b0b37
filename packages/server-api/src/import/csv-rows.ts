import { Readable } from 'node:stream';
import type { ImportRow } from '@tandem/core';
import { type CsvError, type InfoRecord, parse } from 'csv-parse';

export interface CsvForm {
  /** One character. */
  readonly delimiter: string;
  /** Whether the first row names the columns. */
  readonly header: boolean;
}

/** Characters given to the reader at once: it holds the rows of one piece. */
const PIECE = 65_536;
/** In characters. */
const ROW_MAX = 131_072;

/**
 * The rows of a CSV text (RFC 4180), each with the line that it ends in. Where one cannot be read nobody knows where the next
 * one begins: it is the last, as a fault.
 */
export async function* csvRows(text: string, { delimiter, header }: CsvForm): AsyncGenerator<ImportRow> {
  let fault: { readonly line: number; readonly fault: string } | undefined;
  const rows = Readable.from(piecesOf(text)).pipe(
    parse({
      delimiter,
      bom: true,
      info: true,
      from: header ? 2 : 1,
      max_record_size: ROW_MAX,
      relax_column_count: true,
      skip_empty_lines: true,
      // As an error of the stream it would take the rows along that were read before it.
      skip_records_with_error: true,
      on_skip: (error) => {
        fault ??= { line: Number(error?.lines), fault: `${sentenceOf(error)}; what follows was not read` };
        return undefined;
      },
    }),
  );
  for await (const { info, record } of rows as AsyncIterable<{ info: InfoRecord; record: string[] }>) {
    if (fault && info.lines >= fault.line) break;
    yield { line: info.lines, values: record };
  }
  if (fault) yield fault;
}

function* piecesOf(text: string): Generator<string> {
  for (let from = 0; from < text.length; from += PIECE) yield text.slice(from, from + PIECE);
}

/** Without what the row holds, which can be a token. */
function sentenceOf(error: CsvError | undefined): string {
  return SENTENCES[error?.code ?? ''] ?? 'The row cannot be read';
}

const SENTENCES: Readonly<Record<string, string>> = {
  CSV_MAX_RECORD_SIZE: `The row is longer than ${ROW_MAX} characters`,
  CSV_QUOTE_NOT_CLOSED: 'A quotation mark is not closed',
  CSV_INVALID_CLOSING_QUOTE: 'There is something behind a closing quotation mark',
  INVALID_OPENING_QUOTE: 'There is a quotation mark in the middle of a value',
};
