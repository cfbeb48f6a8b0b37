/** Message types (RFC 7252 section 3). */
export const CON = 0;
export const NON = 1;
export const ACK = 2;
export const RST = 3;

export const OPTION = {
  IF_MATCH: 1,
  URI_HOST: 3,
  ETAG: 4,
  OBSERVE: 6,
  URI_PATH: 11,
  CONTENT_FORMAT: 12,
  URI_QUERY: 15,
  ACCEPT: 17,
  BLOCK2: 23,
  BLOCK1: 27,
  PROXY_URI: 35,
  SIZE1: 60,
  ECHO: 252,
  REQUEST_TAG: 292,
} as const;

export interface Option {
  readonly number: number;
  readonly value: Buffer;
}

export interface Message {
  readonly type: number;
  /** The code's byte. */
  readonly code: number;
  readonly token: Buffer;
  readonly options: readonly Option[];
  readonly payload: Buffer;
}

/** Writes a message with message id 0, whether it makes sense or not. */
export function write({ type, code, token, options, payload }: Message): Buffer {
  const parts = [Buffer.from([0x40 | (type << 4) | token.length, code, 0, 0]), token];
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

export function uint(value: number): Buffer {
  if (value === 0) return Buffer.alloc(0);
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}

export const blockValue = (number: number, more: boolean, exponent: number): Buffer =>
  uint((number << 4) | (more ? 8 : 0) | exponent);

export const pathOptions = (segments: readonly string[]): Option[] =>
  segments.map((segment) => ({ number: OPTION.URI_PATH, value: Buffer.from(segment) }));

export const typeOf = (datagram: Buffer): number => ((datagram[0] ?? 0) >> 4) & 3;

/** Of four bytes. */
export function empty(type: number, messageId: number): Buffer {
  return Buffer.from([0x40 | (type << 4), 0, messageId >> 8, messageId & 255]);
}
