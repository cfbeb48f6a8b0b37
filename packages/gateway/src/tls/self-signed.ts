import { type KeyObject, sign } from 'node:crypto';
import type { EpochMillis } from '@tandem/core';

/** What the certificate says (RFC 5280 section 4.1). */
export interface SelfSigned {
  readonly publicKey: KeyObject;
  /** Its own, on the curve P-256. */
  readonly privateKey: KeyObject;
  readonly name: string;
  /** Under which it is met. */
  readonly hosts: readonly string[];
  /** Under which it is met: 4 or 16 bytes each. */
  readonly addresses: readonly Buffer[];
  readonly from: EpochMillis;
  readonly until: EpochMillis;
  /** Anything that no other certificate of that name has. */
  readonly serial: Buffer;
}

/** A certificate that only says of itself who it is; in DER. Node reads certificates and makes none. */
export function selfSignedCertificate(what: SelfSigned): Buffer {
  const name = sequence(set(sequence(COMMON_NAME, utf8(what.name))));
  const alternatives = [
    ...what.hosts.map((host) => tagged(DNS_NAME, Buffer.from(host))),
    ...what.addresses.map((address) => tagged(IP_ADDRESS, address)),
  ];
  const content = sequence(
    explicit(0, integer(Buffer.of(2))),
    integer(what.serial),
    ECDSA_WITH_SHA256,
    name,
    sequence(time(what.from), time(what.until)),
    name,
    what.publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(sequence(SUBJECT_ALT_NAME, octets(sequence(...alternatives))))),
  );
  return sequence(content, ECDSA_WITH_SHA256, bits(sign('sha256', content, what.privateKey)));
}

const tagged = (tag: number, ...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(tag), lengthOf(body.length), body]);
};

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length);
  return length < 0x100 ? Buffer.of(0x81, length) : Buffer.of(0x82, length >> 8, length & 0xff);
}

const sequence = (...parts: Buffer[]): Buffer => tagged(0x30, ...parts);
const set = (...parts: Buffer[]): Buffer => tagged(0x31, ...parts);
const explicit = (number: number, part: Buffer): Buffer => tagged(0xa0 + number, part);
const octets = (bytes: Buffer): Buffer => tagged(0x04, bytes);
const bits = (bytes: Buffer): Buffer => tagged(0x03, Buffer.of(0), bytes);
const utf8 = (text: string): Buffer => tagged(0x0c, Buffer.from(text));
const objectId = (hex: string): Buffer => tagged(0x06, Buffer.from(hex, 'hex'));

/** Never negative, and no more bytes than it takes. */
function integer(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const shortest = first < 0 ? Buffer.of(0) : bytes.subarray(first);
  return tagged(0x02, ...((shortest[0] ?? 0) > 0x7f ? [Buffer.of(0)] : []), shortest);
}

/** From 2050 on with four digits of the year (RFC 5280 section 4.1.2.5). */
function time(at: EpochMillis): Buffer {
  const digits = `${new Date(at).toISOString().replace(/\D/g, '').slice(0, 14)}Z`;
  return digits < '2050' ? tagged(0x17, Buffer.from(digits.slice(2))) : tagged(0x18, Buffer.from(digits));
}

const COMMON_NAME = objectId('550403');
const SUBJECT_ALT_NAME = objectId('551d11');
const ECDSA_WITH_SHA256 = sequence(objectId('2a8648ce3d040302'));
/** Kinds of general names (RFC 5280 section 4.2.1.6). */
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;
