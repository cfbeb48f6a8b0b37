import { setImmediate } from 'node:timers/promises';
import type { ImportRow } from '@tandem/core';
import { CsvError, parse } from 'csv-parse';

export interface CsvForm {
  /** One character. */
  readonly delimiter: string;
  /** Whether the first row names the columns. */
  readonly header: boolean;
}

/** Characters given to the reader at once: the rows of one piece are held. */
const PIECE = 16_384;
/** In characters. */
const ROW_MAX = 131_072;

/**
 * The rows of a CSV text (RFC 4180), each with the line that it ends in. Where one cannot be read nobody knows where the next
 * one begins: it is the last, as a fault.
 */
export async function* csvRows(text: string, { delimiter, header }: CsvForm): AsyncGenerator<ImportRow> {
  const found: ImportRow[] = [];
  const parser = parse({
    delimiter,
    bom: true,
    from: header ? 2 : 1,
    max_record_size: ROW_MAX,
    relax_column_count: true,
    skip_empty_lines: true,
    // As what the stream gives they would be lost with an error behind them.
    on_record: (values: string[], { lines }) => {
      found.push({ line: lines, values });
      return null;
    },
  });
  // It is told to who writes.
  parser.on('error', () => {});
  let [line, lineFrom] = [0, 0];
  for (let from = 0; from <= text.length; from += PIECE) {
    // A text without rows would hold up others to its end.
    await setImmediate();
    const last = from + PIECE > text.length;
    const piece = text.slice(from, from + PIECE);
    const error = await new Promise<unknown>((done) => {
      if (last) parser.end(piece, 'utf8', (error?: unknown) => done(error));
      else parser.write(piece, done);
    });
    yield* found.splice(0);
    // The reader does not count the delimiters of a row.
    if (parser.info.lines > line) [line, lineFrom] = [parser.info.lines, from];
    if (!error && from - lineFrom > ROW_MAX) {
      yield { line, fault: `${SENTENCES.CSV_MAX_RECORD_SIZE}; what follows was not read` };
      return;
    }
    if (!error) continue;
    if (!(error instanceof CsvError)) throw error;
    yield { line: Number(error.lines), fault: `${sentenceOf(error)}; what follows was not read` };
    return;
  }
}

/** Without what the row holds, which can be a token. */
function sentenceOf({ code }: CsvError): string {
  return SENTENCES[code] ?? 'The row cannot be read';
}

const SENTENCES: Readonly<Record<string, string>> = {
  CSV_MAX_RECORD_SIZE: `The row is longer than ${ROW_MAX} characters`,
  CSV_QUOTE_NOT_CLOSED: 'A quotation mark is not closed',
  CSV_INVALID_CLOSING_QUOTE: 'There is something behind a closing quotation mark',
  INVALID_OPENING_QUOTE: 'There is a quotation mark in the middle of a value',
};
