import { createReadStream } from 'node:fs';
import { CsvError, type InfoRecord, parse } from 'csv-parse';

/** A row of the file and the line that it ends in. */
export interface FileRow {
  readonly line: number;
  readonly values: readonly string[];
}

/** Rows that are sent together, as a list of their own. */
export interface Portion {
  readonly text: string;
  /** Line of the portion that a row ends in -> the same in the file. */
  readonly lines: ReadonlyMap<number, number>;
  /** The last line of the file in it. */
  readonly end: number;
}

/** What one request takes: the gateway answers when all rows are done. */
const ROWS = 500;
const CHARACTERS = 1_000_000;

/** @throws Error that names the line where the file is no list any more */
export async function* readRows(file: string, delimiter: string): AsyncGenerator<FileRow> {
  const options = { delimiter, bom: true, info: true, relax_column_count: true, skip_empty_lines: true };
  // Piped streams do not hand errors on.
  const input = createReadStream(file);
  const rows = input.pipe(parse(options));
  input.once('error', (error) => rows.destroy(error));
  try {
    for await (const { info, record } of rows as AsyncIterable<{ info: InfoRecord; record: string[] }>) {
      yield { line: info.lines, values: record };
    }
  } catch (error) {
    if (error instanceof CsvError) throw new Error(`${file}: ${error.message}`);
    throw error;
  }
}

export async function* portionsOf(rows: AsyncIterable<FileRow>): AsyncGenerator<Portion> {
  let portion = new PortionText();
  for await (const row of rows) {
    portion.add(row);
    if (portion.size < ROWS && portion.length < CHARACTERS) continue;
    yield portion.portion();
    portion = new PortionText();
  }
  if (portion.size > 0) yield portion.portion();
}

class PortionText {
  #text = '';
  #lines = new Map<number, number>();
  #line = 0;
  #end = 0;

  get size(): number {
    return this.#lines.size;
  }

  get length(): number {
    return this.#text.length;
  }

  add({ line, values }: FileRow): void {
    const text = values.map(quoted).join(',');
    this.#text += `${text}\n`;
    this.#line += 1 + (text.match(/\r\n|\n|\r/g)?.length ?? 0);
    this.#lines.set(this.#line, line);
    this.#end = line;
  }

  portion(): Portion {
    return { text: this.#text, lines: this.#lines, end: this.#end };
  }
}

const quoted = (value: string): string => (/[",\r\n\ufeff]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
