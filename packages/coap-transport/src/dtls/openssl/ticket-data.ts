import type { AcceptedCertificates } from '../engine';

/** What goes into the ticket of a session beside what OpenSSL keeps of it, which of a chain is the first certificate alone. */
export interface TicketData {
  /** Whether the session is by a pre-shared key. */
  readonly byKey: boolean;
  /** Which trust store the certificates were checked against. */
  readonly trust: Buffer;
  readonly accepted: AcceptedCertificates;
}

/** Of this layout. */
const VERSION = 1;
const TRUST = 16;
/** SHA3-256. */
const ID = 32;
const HEAD = 2 + TRUST + 8;

/** Names a trust store. */
export const trustName = (digest: Buffer | undefined): Buffer => digest?.subarray(0, TRUST) ?? Buffer.alloc(TRUST);

export function writeTicketData({ byKey, trust, accepted }: TicketData): Buffer {
  const head = Buffer.alloc(HEAD);
  head.writeUInt8(VERSION, 0);
  head.writeUInt8(byKey ? 1 : 0, 1);
  trust.copy(head, 2);
  head.writeDoubleBE(accepted.until, 2 + TRUST);
  return Buffer.concat([head, ...accepted.ids.map((id) => Buffer.from(id, 'hex'))]);
}

/** Undefined: it is of another layout. */
export function readTicketData(bytes: Buffer): TicketData | undefined {
  if (bytes.length < HEAD || bytes[0] !== VERSION || (bytes.length - HEAD) % ID !== 0) return undefined;
  const ids: string[] = [];
  for (let at = HEAD; at < bytes.length; at += ID) ids.push(bytes.toString('hex', at, at + ID));
  return {
    byKey: bytes[1] === 1,
    trust: bytes.subarray(2, 2 + TRUST),
    accepted: { ids, until: bytes.readDoubleBE(2 + TRUST) },
  };
}
