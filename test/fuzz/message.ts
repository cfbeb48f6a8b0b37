import {
  uint,
  type WrittenMessage,
  type WrittenOption,
  write as writeMessage,
} from '../../packages/coap-transport/src/endpoint/testing/message-writer';

export { uint };

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

export type Option = WrittenOption;
export type Message = Omit<WrittenMessage, 'messageId'>;

/** Writes a message with message id 0, whether it makes sense or not. */
export function write(message: Message): Buffer {
  return writeMessage({ ...message, messageId: 0 });
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
