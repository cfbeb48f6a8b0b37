/** An IPv6 address as a number; one of IPv4 as it is mapped into IPv6 (RFC 4291 section 2.5.5.2). */
export type IpAddress = bigint;

const BITS = 128;
const MAPPED = 0xffffn << 32n;
const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
const GROUPS = 8;

/** Undefined for what is no address. A zone (`%eth0`) is left out. */
export function parseIpAddress(text: string): IpAddress | undefined {
  const four = parseIpv4(text);
  return four === undefined ? parseIpv6(text.split('%', 1)[0] ?? '') : MAPPED | four;
}

export const isIpv4 = (address: IpAddress): boolean => address >> 32n === MAPPED >> 32n;

/** Addresses that begin with the same bits. */
export interface IpNetwork {
  readonly address: IpAddress;
  /** Of the 128 bits. */
  readonly prefix: number;
}

/** `10.0.0.1`, `10.0.0.0/8`, `fd00::/8`; undefined for anything else. */
export function parseIpNetwork(text: string): IpNetwork | undefined {
  const [host = '', bits, ...more] = text.split('/');
  const address = parseIpAddress(host);
  if (address === undefined || more.length > 0) return undefined;
  if (bits === undefined) return { address, prefix: BITS };
  const most = host.includes(':') ? BITS : 32;
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > most) return undefined;
  return { address, prefix: Number(bits) + BITS - most };
}

export function isInNetwork(address: IpAddress, { address: base, prefix }: IpNetwork): boolean {
  const shift = BigInt(BITS - prefix);
  return address >> shift === base >> shift;
}

function parseIpv4(text: string): bigint | undefined {
  const bytes = IPV4.exec(text)?.slice(1).map(Number);
  if (!bytes || bytes.some((byte) => byte > 255)) return undefined;
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function parseIpv6(text: string): bigint | undefined {
  const halves = text.split('::');
  if (!text.includes(':') || halves.length > 2) return undefined;
  const parsed = halves.map(parseGroups);
  const [head, tail] = parsed;
  if (!head || (halves.length === 2 && !tail)) return undefined;
  const missing = GROUPS - head.length - (tail?.length ?? 0);
  if (tail ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array<bigint>(missing).fill(0n), ...(tail ?? [])];
  return groups.reduce((sum, group) => (sum << 16n) | group, 0n);
}

/** Half an address: groups of 16 bits; the last two may be written as an IPv4 address. */
function parseGroups(text: string): bigint[] | undefined {
  const groups: bigint[] = [];
  const parts = text === '' ? [] : text.split(':');
  for (const [i, part] of parts.entries()) {
    const four = i === parts.length - 1 ? parseIpv4(part) : undefined;
    if (four !== undefined) groups.push(four >> 16n, four & 0xffffn);
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(BigInt(`0x${part}`));
    else return undefined;
  }
  return groups;
}
