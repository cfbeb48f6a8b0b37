import { CON, METHODS, type Method, OPTION } from '../endpoint/codes';
import { Frame, readFrame } from '../endpoint/guard';

export interface ClientRequest {
  readonly method: Method;
  /** Uri-Path options, one each. */
  readonly path: readonly string[];
  /** Uri-Query options, one each. */
  readonly query?: readonly string[];
  readonly payload?: Buffer;
  readonly contentFormat?: number;
}

/** What the client itself says of a request. */
export interface RequestOptions {
  readonly observe?: 0 | 1;
  /** Values as on the wire (RFC 7959 section 2.2). */
  readonly block1?: number;
  readonly block2?: number;
  /** What the server has asked to be repeated (RFC 9175 section 2.2). */
  readonly echo?: Buffer;
}

export interface CoapReply {
  /** Dotted: `2.05`. */
  readonly code: string;
  readonly payload: Buffer;
  /** There on what registers an observation, and on its notifications. */
  readonly observe: number | undefined;
  /** Seconds. */
  readonly maxAge: number | undefined;
  readonly block1: number | undefined;
  readonly block2: number | undefined;
  readonly echo: Buffer | undefined;
}

export const TOKEN_BYTES = 4;

/** A confirmable request. */
export function encodeRequest(
  messageId: number,
  token: number,
  request: ClientRequest,
  options: RequestOptions,
): Buffer {
  const head = Buffer.alloc(4 + TOKEN_BYTES);
  head[0] = 0x40 | (CON << 4) | TOKEN_BYTES;
  head[1] = METHODS.indexOf(request.method);
  head.writeUInt16BE(messageId, 2);
  head.writeUInt32BE(token, 4);
  const { payload } = request;
  const parts: Buffer[] = [head];
  let last = 0;
  // In the order of their numbers, as each is written as its distance from the one before (RFC 7252 section 3.1).
  const put = (number: number, value: Buffer) => {
    parts.push(optionHead(number - last, value.length), value);
    last = number;
  };
  const putNumber = (number: number, value: number | undefined) => {
    if (value !== undefined) put(number, numberBytes(value));
  };
  putNumber(OPTION.OBSERVE, options.observe);
  for (const segment of request.path) put(OPTION.URI_PATH, Buffer.from(segment));
  putNumber(OPTION.CONTENT_FORMAT, request.contentFormat);
  for (const item of request.query ?? []) put(OPTION.URI_QUERY, Buffer.from(item));
  putNumber(OPTION.BLOCK2, options.block2);
  putNumber(OPTION.BLOCK1, options.block1);
  if (options.echo) put(OPTION.ECHO, options.echo);
  if (payload && payload.length > 0) parts.push(Buffer.of(0xff), payload);
  return Buffer.concat(parts);
}

/** Lengths and distances from 13 on take a byte more, from 269 on two. */
function optionHead(delta: number, length: number): Buffer {
  const [deltaNibble, deltaMore] = extended(delta);
  const [lengthNibble, lengthMore] = extended(length);
  return Buffer.from([(deltaNibble << 4) | lengthNibble, ...deltaMore, ...lengthMore]);
}

function extended(value: number): [nibble: number, more: number[]] {
  if (value < 13) return [value, []];
  if (value < 269) return [13, [value - 13]];
  return [14, [(value - 269) >> 8, (value - 269) & 0xff]];
}

/** Without leading zeros: 0 is empty. */
function numberBytes(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes.subarray(value === 0 ? 4 : bytes.findIndex((byte) => byte !== 0));
}

/** The longest datagram there can be. */
const LONGEST = 65_535;
const frame = new Frame();

/** The frame of a well-formed datagram, filled anew by the next call; undefined for anything else. */
export const frameOf = (datagram: Buffer): Frame | undefined =>
  readFrame(datagram, LONGEST, frame) === undefined ? frame : undefined;

export const tokenOf = (datagram: Buffer, { tokenLength }: Frame): number =>
  tokenLength === TOKEN_BYTES ? datagram.readUInt32BE(4) : -1;

export function decodeReply(datagram: Buffer, { code, optionsStart, optionsEnd, payloadStart }: Frame): CoapReply {
  const values = new Map<number, Buffer>();
  let at = optionsStart;
  let number = 0;
  const read = (nibble: number): number => {
    if (nibble < 13) return nibble;
    if (nibble === 13) return 13 + (datagram[at++] ?? 0);
    at += 2;
    return 269 + datagram.readUInt16BE(at - 2);
  };
  while (at < optionsEnd) {
    const head = datagram[at++] ?? 0;
    number += read(head >> 4);
    const length = read(head & 15);
    values.set(number, datagram.subarray(at, at + length));
    at += length;
  }
  const numberOf = (option: number) => {
    const value = values.get(option);
    if (value === undefined || value.length > 4) return undefined;
    return value.length === 0 ? 0 : value.readUIntBE(0, value.length);
  };
  return {
    code: dotted(code),
    payload: datagram.subarray(payloadStart),
    observe: numberOf(OPTION.OBSERVE),
    maxAge: numberOf(OPTION.MAX_AGE),
    block1: numberOf(OPTION.BLOCK1),
    block2: numberOf(OPTION.BLOCK2),
    echo: values.get(OPTION.ECHO),
  };
}

const dotted = (code: number): string => `${code >> 5}.${String(code & 0x1f).padStart(2, '0')}`;
