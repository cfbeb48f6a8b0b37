import { SEPARATOR } from './entry-codec';

/**
 * A row beyond this is one that a single entry fills. With it a row takes one page of the file: for a longer one lmdb looks for
 * free pages side by side, which takes the longer the more of the log has been let go of. Measured: a row of 14 kB 260 us, four
 * of 3.6 kB in one transaction 15 us.
 */
const MAX_ROW_BYTES = 4_000;
/** Room for what comes in a usual turn of the event loop. */
const USUAL_BYTES = 128 << 10;
/** One UTF-16 unit takes no more bytes of UTF-8. */
const MAX_UNIT_BYTES = 3;
const SEPARATOR_BYTE = SEPARATOR.charCodeAt(0);

interface Row {
  readonly start: number;
  end: number;
  entries: number;
}

/**
 * The entries that are being gathered, as rows of bytes the way they go into the log. All turns use the same memory, one after
 * the other: texts that wait in a list for the end of the turn are kept alive by it, and V8, which sees such lists live on,
 * soon makes them among the old objects, so that every message would be carried there as well.
 */
export class PendingRows {
  #bytes = Buffer.allocUnsafeSlow(USUAL_BYTES);
  #length = 0;
  #entries = 0;
  readonly #rows: Row[] = [];

  /** Of all rows. */
  get entries(): number {
    return this.#entries;
  }

  /** Bytes of all rows, and between them. */
  get length(): number {
    return this.#length;
  }

  add(entry: string): void {
    this.#reserve(1 + entry.length * MAX_UNIT_BYTES);
    const last = this.#rows[this.#rows.length - 1];
    const start = last === undefined ? 0 : last.end + 1;
    const end = start + this.#bytes.write(entry, start);
    if (last !== undefined && end - last.start <= MAX_ROW_BYTES) {
      this.#bytes[last.end] = SEPARATOR_BYTE;
      last.end = end;
      last.entries++;
    } else {
      this.#rows.push({ start, end, entries: 1 });
    }
    this.#length = end;
    this.#entries++;
  }

  /** Hands out the rows, oldest first. The bytes are written over by what is added after `clear`. */
  forEach(take: (bytes: Buffer, entries: number) => void): void {
    for (const { start, end, entries } of this.#rows) take(this.#bytes.subarray(start, end), entries);
  }

  clear(): void {
    this.#rows.length = 0;
    this.#length = 0;
    this.#entries = 0;
    if (this.#bytes.length > USUAL_BYTES) this.#bytes = Buffer.allocUnsafeSlow(USUAL_BYTES);
  }

  #reserve(added: number): void {
    const needed = this.#length + added;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
