import { RECORD_HEADER, recordEnd } from './records';

const HANDSHAKE = 22;
const CLIENT_KEY_EXCHANGE = 16;
const HANDSHAKE_HEADER = 12;
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/**
 * The identity that a client names in the ClientKeyExchange of a handshake with a pre-shared key: the first thing in it (RFC 4279
 * section 2, RFC 5489 section 2). Undefined: the datagram has no such message, or not its beginning with the whole identity. To
 * be asked only where the suite is one of those: others begin their message with something else.
 */
export function pskIdentityIn(datagram: Buffer): string | undefined {
  for (let start = 0; start + RECORD_HEADER < datagram.length; start = recordEnd(datagram, start)) {
    const isPlain = datagram.readUInt16BE(start + 3) === 0;
    if (datagram[start] !== HANDSHAKE || !isPlain) continue;
    const found = inMessages(datagram.subarray(start + RECORD_HEADER, recordEnd(datagram, start)));
    if (found !== undefined) return found;
  }
  return undefined;
}

function inMessages(messages: Buffer): string | undefined {
  for (let at = 0; at + HANDSHAKE_HEADER <= messages.length; ) {
    const offset = messages.readUIntBE(at + 6, 3);
    const end = at + HANDSHAKE_HEADER + messages.readUIntBE(at + 9, 3);
    if (messages[at] === CLIENT_KEY_EXCHANGE && offset === 0) {
      return identityOf(messages.subarray(at + HANDSHAKE_HEADER, end));
    }
    at = end;
  }
  return undefined;
}

function identityOf(message: Buffer): string | undefined {
  if (message.length < 2) return undefined;
  const end = 2 + message.readUInt16BE(0);
  if (end > message.length) return undefined;
  try {
    return UTF8.decode(message.subarray(2, end));
  } catch {
    return undefined;
  }
}
