import { type MessageType, OPTION } from './codes';

/** A message of ours before it has a type, a message id and a token. */
export interface OutgoingMessage {
  /** The code's byte. */
  readonly code: number;
  readonly payload?: Buffer;
  readonly etag?: Buffer;
  readonly observe?: number;
  readonly contentFormat?: number;
  /** Seconds. */
  readonly maxAge?: number;
  /** The value as on the wire: number, more, size exponent (RFC 7959 section 2.2). */
  readonly block2?: number;
  readonly block1?: number;
  readonly size2?: number;
  readonly size1?: number;
  /** At most 12 bytes. */
  readonly echo?: Buffer;
}

/** All options we ever send fit: an ETag of 8 bytes, an Echo of 12 and numbers of at most 4. */
const scratch = new Uint8Array(64);
let end = 0;
let lastOption = 0;

const NO_TOKEN = new Uint8Array(0);

/** One datagram. The token is `tokenLength` bytes of `token` from `tokenStart` on. */
export function encodeMessage(
  type: MessageType,
  messageId: number,
  message: OutgoingMessage,
  token: Uint8Array = NO_TOKEN,
  tokenStart = 0,
  tokenLength = token.length,
): Buffer {
  end = 0;
  lastOption = 0;
  if (message.etag !== undefined) opaque(OPTION.ETAG, message.etag, 8);
  if (message.observe !== undefined) uint(OPTION.OBSERVE, message.observe);
  if (message.contentFormat !== undefined) uint(OPTION.CONTENT_FORMAT, message.contentFormat);
  if (message.maxAge !== undefined) uint(OPTION.MAX_AGE, message.maxAge);
  if (message.block2 !== undefined) uint(OPTION.BLOCK2, message.block2);
  if (message.block1 !== undefined) uint(OPTION.BLOCK1, message.block1);
  if (message.size2 !== undefined) uint(OPTION.SIZE2, message.size2);
  if (message.size1 !== undefined) uint(OPTION.SIZE1, message.size1);
  if (message.echo !== undefined) opaque(OPTION.ECHO, message.echo, 12);
  const { payload } = message;
  const payloadLength = payload === undefined || payload.length === 0 ? 0 : payload.length + 1;
  const bytes = Buffer.allocUnsafe(4 + tokenLength + end + payloadLength);
  bytes[0] = 0x40 | (type << 4) | tokenLength;
  bytes[1] = message.code;
  bytes[2] = messageId >> 8;
  bytes[3] = messageId & 0xff;
  let at = 4;
  for (let i = 0; i < tokenLength; i++) bytes[at++] = token[tokenStart + i] ?? 0;
  for (let i = 0; i < end; i++) bytes[at++] = scratch[i] ?? 0;
  if (payload !== undefined && payloadLength > 0) {
    bytes[at] = 0xff;
    bytes.set(payload, at + 1);
  }
  return bytes;
}

/** Gives an encoded message its id. */
export function stampMessageId(datagram: Buffer, messageId: number): void {
  datagram[2] = messageId >> 8;
  datagram[3] = messageId & 0xff;
}

function head(option: number, length: number): void {
  const delta = option - lastOption;
  lastOption = option;
  if (delta < 13) {
    scratch[end++] = (delta << 4) | length;
  } else {
    scratch[end++] = 0xd0 | length;
    scratch[end++] = delta - 13;
  }
}

function opaque(option: number, value: Uint8Array, longest: number): void {
  const length = Math.min(value.length, longest);
  head(option, length);
  for (let i = 0; i < length; i++) scratch[end++] = value[i] ?? 0;
}

/** A uint option without leading zero bytes: 0 is empty (RFC 7252 section 3.2). */
function uint(option: number, value: number): void {
  const number = value > 0xffffffff ? 0xffffffff : Math.floor(value) >>> 0;
  const length = number === 0 ? 0 : number < 0x100 ? 1 : number < 0x10000 ? 2 : number < 0x1000000 ? 3 : 4;
  head(option, length);
  for (let i = length - 1; i >= 0; i--) scratch[end++] = (number >>> (i * 8)) & 0xff;
}
