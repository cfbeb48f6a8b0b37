import { generate } from 'coap-packet';

export const TOKEN_BYTES = 4;
const MID_OFFSET = 2;
const TOKEN_OFFSET = 4;
const CONTENT_FORMAT_JSON = 50;
const EMPTY = 0;

/** How a datagram from the server relates to the outstanding request (RFC 7252 section 4.2, 5.2). */
export type ReplyKind =
  /** the response, in the acknowledgement */
  | 'piggybacked'
  /** the response in a message of its own */
  | 'separate'
  /** an empty acknowledgement: the response comes later */
  | 'acknowledged'
  | 'reset'
  /** belongs to an earlier request, or is no CoAP */
  | 'stale';

/** A CON POST of telemetry whose message id and token are still to be set by `readdress`. */
export function telemetryDatagram(accessToken: string, body: string): Buffer {
  return generate({
    confirmable: true,
    code: 'POST',
    messageId: 0,
    token: Buffer.alloc(TOKEN_BYTES, 0xff),
    options: [
      ...['api', 'v1', accessToken, 'telemetry'].map((segment) => ({
        name: 'Uri-Path' as const,
        value: Buffer.from(segment),
      })),
      { name: 'Content-Format', value: Buffer.of(CONTENT_FORMAT_JSON) },
    ],
    payload: Buffer.from(body),
  });
}

/** Gives a prepared datagram a new identity in place. `token` is an unsigned 32-bit number. */
export function readdress(datagram: Buffer, messageId: number, token: number): void {
  datagram.writeUInt16BE(messageId, MID_OFFSET);
  datagram.writeUInt32BE(token, TOKEN_OFFSET);
}

export function classifyReply(reply: Buffer, messageId: number, token: number): ReplyKind {
  if (reply.length < 4 || (reply[0] ?? 0) >> 6 !== 1) {
    return 'stale';
  }
  const type = typeOf(reply);
  const sameId = reply.readUInt16BE(MID_OFFSET) === messageId;
  if (type === 3) {
    return sameId ? 'reset' : 'stale';
  }
  if (type === 2 && reply[1] === EMPTY) {
    return sameId ? 'acknowledged' : 'stale';
  }
  const tokenLength = (reply[0] ?? 0) & 0x0f;
  if (tokenLength !== TOKEN_BYTES || reply.length < TOKEN_OFFSET + TOKEN_BYTES) {
    return 'stale';
  }
  if (reply.readUInt32BE(TOKEN_OFFSET) !== token || (type === 2 && !sameId)) {
    return 'stale';
  }
  return type === 2 ? 'piggybacked' : 'separate';
}

/** The empty ACK that a confirmable message wants; undefined for every other type. */
export function acknowledgementOf(reply: Buffer): Buffer | undefined {
  if (reply.length < 4 || typeOf(reply) !== 0) {
    return undefined;
  }
  return Buffer.of(0x60, EMPTY, reply[MID_OFFSET] ?? 0, reply[MID_OFFSET + 1] ?? 0);
}

/** The code byte in dotted form, e.g. `2.01` (RFC 7252 section 12.1). */
export function dottedCode(code: number): string {
  return `${code >> 5}.${String(code & 0x1f).padStart(2, '0')}`;
}

function typeOf(message: Buffer): number {
  return ((message[0] ?? 0) >> 4) & 3;
}
