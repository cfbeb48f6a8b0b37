import { TandemError } from '../errors';
import type { KeyValue } from './value';

/** One UTF-16 unit takes no more bytes of UTF-8. */
const MAX_UNIT_BYTES = 3;

/**
 * How large a message may be as it is stored. The body says little about it: a control character of one byte is six as JSON
 * text, and so are others in formats that are no text.
 */
export class MessageSize {
  /** @param maxBytes of UTF-8 */
  constructor(private readonly maxBytes: number) {}

  /** Costs nothing for usual texts. @throws TandemError PAYLOAD_TOO_LARGE */
  check(text: string): void {
    if (text.length * MAX_UNIT_BYTES <= this.maxBytes) return;
    // The length first: a text that was put together of pieces becomes one only when its bytes are counted.
    if (text.length > this.maxBytes || Buffer.byteLength(text) > this.maxBytes) throw this.#tooLarge();
  }

  /** @throws TandemError PAYLOAD_TOO_LARGE */
  checkAll(entries: readonly KeyValue[]): void {
    let units = 0;
    for (const { key, value } of entries) units += key.length + value.length;
    if (units * MAX_UNIT_BYTES <= this.maxBytes) return;
    if (units > this.maxBytes) throw this.#tooLarge();
    let bytes = 0;
    for (const { key, value } of entries) bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
    if (bytes > this.maxBytes) throw this.#tooLarge();
  }

  #tooLarge() {
    return new TandemError('PAYLOAD_TOO_LARGE', {
      message: `The payload takes more than ${this.maxBytes} bytes as JSON text, in which control characters are escaped`,
    });
  }
}
