/** One option as it is to be written; the writer does not care whether it makes sense. */
export interface WrittenOption {
  readonly number: number;
  readonly value: Buffer;
}

export interface WrittenMessage {
  /** 0 CON, 1 NON, 2 ACK, 3 RST. */
  readonly type: number;
  /** The code's byte. */
  readonly code: number;
  readonly messageId: number;
  readonly token: Buffer;
  readonly options: readonly WrittenOption[];
  readonly payload: Buffer;
}

/** Writes a message as RFC 7252 section 3 has it. Shares no code with the endpoint, so that no mistake is made twice. */
export function write({ type, code, messageId, token, options, payload }: WrittenMessage): Buffer {
  const head = Buffer.from([0x40 | (type << 4) | token.length, code, messageId >> 8, messageId & 255]);
  const parts = [head, token];
  let last = 0;
  for (const { number, value } of [...options].sort((a, b) => a.number - b.number)) {
    const [delta, deltaTail] = nibble(number - last);
    const [length, lengthTail] = nibble(value.length);
    parts.push(Buffer.from([(delta << 4) | length, ...deltaTail, ...lengthTail]), value);
    last = number;
  }
  if (payload.length > 0) parts.push(Buffer.from([0xff]), payload);
  return Buffer.concat(parts);
}

function nibble(value: number): [number, number[]] {
  if (value < 13) return [value, []];
  if (value < 269) return [13, [value - 13]];
  return [14, [(value - 269) >> 8, (value - 269) & 255]];
}

/** The value of a uint option: without leading zero bytes. */
export function uint(value: number): Buffer {
  if (value === 0) return Buffer.alloc(0);
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}
