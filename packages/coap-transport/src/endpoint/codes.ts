/** Message types (RFC 7252 section 3). */
export const CON = 0;
export const NON = 1;
export const ACK = 2;
export const RST = 3;
export type MessageType = typeof CON | typeof NON | typeof ACK | typeof RST;

/** Option numbers (RFC 7252 section 12.2, RFC 7641, RFC 7959, RFC 9175). */
export const OPTION = {
  IF_MATCH: 1,
  URI_HOST: 3,
  ETAG: 4,
  IF_NONE_MATCH: 5,
  OBSERVE: 6,
  URI_PORT: 7,
  URI_PATH: 11,
  CONTENT_FORMAT: 12,
  MAX_AGE: 14,
  URI_QUERY: 15,
  ACCEPT: 17,
  BLOCK2: 23,
  BLOCK1: 27,
  SIZE2: 28,
  PROXY_URI: 35,
  PROXY_SCHEME: 39,
  SIZE1: 60,
  ECHO: 252,
  REQUEST_TAG: 292,
} as const;

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'FETCH' | 'PATCH' | 'iPATCH';

/** Indexed by the detail of a 0.dd code; index 0 is the empty message. */
export const METHODS: readonly (Method | undefined)[] = [
  undefined,
  'GET',
  'POST',
  'PUT',
  'DELETE',
  'FETCH',
  'PATCH',
  'iPATCH',
];

/** 2.00: what is below and not 0.00 is a request, as far as the guard lets it pass. */
export const FIRST_RESPONSE = 0x40;

/** The dotted code of a byte. */
export const dottedCode = (code: number): string => `${code >> 5}.${String(code & 31).padStart(2, '0')}`;

/** The byte of a dotted code: `'2.05'` is 0x45 (RFC 7252 section 3). Throws on anything that is not `d.dd`. */
export function codeByte(code: string): number {
  const whole = code.charCodeAt(0) - 48;
  const tens = code.charCodeAt(2) - 48;
  const ones = code.charCodeAt(3) - 48;
  if (code.length !== 4 || !(whole >= 0 && whole < 8 && tens >= 0 && tens < 4 && ones >= 0 && ones < 10)) {
    throw new RangeError(`not a CoAP code: ${code}`);
  }
  return (whole << 5) | (tens * 10 + ones);
}
