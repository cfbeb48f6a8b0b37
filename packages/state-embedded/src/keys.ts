import { TandemError, type Uuid } from '@tandem/core';

const UUID_BYTES = 16;
/** LMDB takes keys of up to so many bytes; a name of 255 characters has at most 765 in UTF-8. */
const MAX_KEY_BYTES = 1_978;
const MAX_NAME_BYTES = 1_024;

/** The 16 bytes of a UUID: half the length of its text, and all of one device's rows side by side. */
export function uuidBytes(uuid: Uuid): Buffer {
  const bytes = Buffer.from(uuid.replaceAll('-', ''), 'hex');
  if (bytes.length !== UUID_BYTES) throw new Error('not a UUID');
  return bytes;
}

/**
 * A key or name as bytes; undefined for one that is too long to be stored and so cannot be there. Unpaired surrogates
 * have no UTF-8 and all become U+FFFD.
 */
export function nameBytes(name: string): Buffer | undefined {
  const bytes = Buffer.from(name);
  return bytes.length <= MAX_NAME_BYTES ? bytes : undefined;
}

/** A name within a tenant; undefined for one that is too long to be stored. */
export function nameKey(tenantId: Uuid, name: string): Buffer | undefined {
  const bytes = nameBytes(name);
  return bytes && Buffer.concat([uuidBytes(tenantId), bytes]);
}

/** Tenant, title and version of a package; the length of the title keeps the two apart. @throws TandemError BAD_REQUEST */
export function packageNameKey(ota: {
  readonly tenantId: Uuid;
  readonly title: string;
  readonly version: string;
}): Buffer {
  const [title, version] = [nameBytes(ota.title), nameBytes(ota.version)];
  const key = title && version && Buffer.concat([uuidBytes(ota.tenantId), lengthBytes(title), title, version]);
  if (!key || key.length > MAX_KEY_BYTES) {
    throw new TandemError('BAD_REQUEST', { message: 'Title or version of the package is too long' });
  }
  return key;
}

function lengthBytes({ length }: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(2);
  bytes.writeUInt16BE(length);
  return bytes;
}

/** A number from 0 to 2^48 - 1 in an order-preserving form. */
export function offsetBytes(offset: number): Buffer {
  const bytes = Buffer.allocUnsafe(6);
  bytes.writeUIntBE(offset, 0, 6);
  return bytes;
}

/** A timestamp in an order-preserving form: the sign bit turned over, so that -1 sorts before 0. */
export function timestampBytes(ts: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigUInt64BE(BigInt(ts) + SIGN, 0);
  return bytes;
}

/** What {@link timestampBytes} wrote there. */
export const timestampIn = (bytes: Buffer, at: number): number => Number(bytes.readBigUInt64BE(at) - SIGN);

const SIGN = 1n << 63n;

/** All keys that begin with `prefix`, as the bounds of a range. */
export function prefixRange(prefix: Buffer): { start: Buffer; end?: Buffer } {
  const end = Buffer.from(prefix);
  for (let i = end.length - 1; i >= 0; i--) {
    const byte = end[i] ?? 0;
    if (byte < 0xff) {
      end[i] = byte + 1;
      return { start: prefix, end: end.subarray(0, i + 1) };
    }
  }
  return { start: prefix };
}
