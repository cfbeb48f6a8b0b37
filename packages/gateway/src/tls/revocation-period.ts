import type { EpochMillis } from '@tandem/core';

interface Element {
  readonly tag: number;
  readonly from: number;
  readonly to: number;
}

const [INTEGER, UTC_TIME, GENERALIZED_TIME] = [0x02, 0x17, 0x18];

/**
 * Until when a list of revoked certificates holds (RFC 5280 section 5.1.2.5), which Node does not tell. Read by hand: such a list may
 * have a hundred thousand entries, and this stands before them.
 * @param pem a list that OpenSSL has read
 * @returns undefined where it does not say
 */
export function holdsUntil(pem: string): EpochMillis | undefined {
  const der = Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64');
  const list = elementAt(der, 0);
  const { from } = elementAt(der, list.from);
  let next = elementAt(der, from);
  if (next.tag === INTEGER) next = elementAt(der, next.to);
  const issuer = elementAt(der, next.to);
  const thisUpdate = elementAt(der, issuer.to);
  const nextUpdate = elementAt(der, thisUpdate.to);
  const text = der.toString('latin1', nextUpdate.from, nextUpdate.to);
  if (nextUpdate.tag === GENERALIZED_TIME) return timeOf(text);
  return nextUpdate.tag === UTC_TIME ? timeOf(`${text < '50' ? '20' : '19'}${text}`) : undefined;
}

/** In DER a length below 128 is one byte; else that byte says how many follow that hold it. */
function elementAt(der: Buffer, at: number): Element {
  const short = der.readUInt8(at + 1);
  const more = short < 0x80 ? 0 : short & 0x7f;
  const from = at + 2 + more;
  return { tag: der.readUInt8(at), from, to: from + (more === 0 ? short : der.readUIntBE(at + 2, more)) };
}

/** `YYYYMMDDhhmmssZ` */
function timeOf(text: string): EpochMillis {
  const [, year, month, day, hour, minute, second] = /^(....)(..)(..)(..)(..)(..)Z$/.exec(text)?.map(Number) ?? [];
  return Date.UTC(year ?? Number.NaN, (month ?? 1) - 1, day, hour, minute, second);
}
