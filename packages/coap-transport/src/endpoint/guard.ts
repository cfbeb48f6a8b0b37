import type { LabelValue } from '@tandem/core';
import { CON, type MessageType, NON, RST } from './codes';

/** Why a datagram was dropped. */
export type DropReason = LabelValue<'tandem_coap_dropped_total', 'reason'>;

/**
 * Where the parts of a datagram lie. One instance is filled again for every datagram, so that reading a message costs
 * no allocation.
 */
export class Frame {
  type: MessageType = CON;
  code = 0;
  messageId = 0;
  tokenLength = 0;
  /** First byte after the token. */
  optionsStart = 0;
  /** The payload marker, or the end of the datagram. */
  optionsEnd = 0;
  payloadStart = 0;
}

const CODE_CLASS_REQUEST = 0;

/**
 * Checks a datagram's form (RFC 7252 sections 3 and 4.2, 4.3) and fills `frame`. After `undefined` every option can
 * be walked without a bounds check. With a reason, `mustReset` tells whether the sender is owed a Reset.
 */
export function readFrame(datagram: Uint8Array, maximum: number, frame: Frame): DropReason | undefined {
  const length = datagram.length;
  if (length < 4) return 'too_short';
  const first = datagram[0] ?? 0;
  if (first >> 6 !== 1) return 'version';
  const code = datagram[1] ?? 0;
  const tokenLength = first & 15;
  frame.type = ((first >> 4) & 3) as MessageType;
  frame.code = code;
  frame.messageId = ((datagram[2] ?? 0) << 8) | (datagram[3] ?? 0);
  if (length > maximum) return 'too_long';
  if (tokenLength > 8) return 'token_length';
  if (code === 0) {
    return length === 4 && tokenLength === 0 ? undefined : 'empty_with_content';
  }
  const codeClass = code >> 5;
  if (codeClass !== CODE_CLASS_REQUEST && codeClass !== 2 && codeClass !== 4 && codeClass !== 5) return 'code_class';
  let at = 4 + tokenLength;
  if (at > length) return 'truncated';
  frame.tokenLength = tokenLength;
  frame.optionsStart = at;
  while (at < length) {
    const head = datagram[at] ?? 0;
    if (head === 0xff) {
      frame.optionsEnd = at;
      frame.payloadStart = at + 1;
      return at + 1 === length ? 'empty_payload' : undefined;
    }
    const delta = head >> 4;
    const size = head & 15;
    if (delta === 15 || size === 15) return 'reserved_option_nibble';
    at += 1;
    if (delta === 13) at += 1;
    else if (delta === 14) at += 2;
    if (size < 13) at += size;
    else if (size === 13) {
      if (at >= length) return 'truncated';
      at += 14 + (datagram[at] ?? 0);
    } else {
      if (at + 1 >= length) return 'truncated';
      at += 271 + (((datagram[at] ?? 0) << 8) | (datagram[at + 1] ?? 0));
    }
    if (at > length) return 'truncated';
  }
  frame.optionsEnd = at;
  frame.payloadStart = at;
  return undefined;
}

/**
 * A Confirmable message that cannot be processed is rejected by a Reset, everything else in silence (RFC 7252
 * sections 4.2 and 4.3). Another version, and what is too short to have a message id, gets nothing at all.
 */
export function mustReset(reason: DropReason, frame: Frame): boolean {
  return reason !== 'too_short' && reason !== 'version' && frame.type === CON;
}

/** An Empty message of the given type: four bytes (RFC 7252 section 4.1). */
export function emptyMessage(type: MessageType, messageId: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes[0] = 0x40 | (type << 4);
  bytes[1] = 0;
  bytes[2] = messageId >> 8;
  bytes[3] = messageId & 0xff;
  return bytes;
}

export function isRequest(frame: Frame): boolean {
  return frame.code !== 0 && frame.code < 0x20 && (frame.type === CON || frame.type === NON);
}

export const resetFor = (frame: Frame): Buffer => emptyMessage(RST, frame.messageId);
