import { type IpAddress, type IpNetwork, isInNetwork, isIpv4, parseIpAddress } from './ip-address';

/** What of a request says where it comes from. */
export interface Caller {
  /** Of the connection. */
  readonly remoteAddress: string | undefined;
  /** `X-Forwarded-For`; empty where there is none. */
  readonly forwardedFor: string;
}

/**
 * Whom a request comes from, in a form of which nobody has many: the address, of IPv6 the /64 network, which one customer line
 * has. What proxies say of it is believed from those alone that are trusted: a header is easily made up.
 */
export function callerAddress({ remoteAddress, forwardedFor }: Caller, trusted: readonly IpNetwork[]): string {
  let address = parseIpAddress(remoteAddress ?? '');
  const forwarded = forwardedFor.split(',');
  // From the nearest on: each is what the one behind it, as far as that is trusted, has seen.
  while (address !== undefined && isTrustedProxy(address, trusted)) {
    const before = parseIpAddress(forwarded.pop()?.trim() ?? '');
    if (before === undefined) break;
    address = before;
  }
  return address === undefined ? 'unknown' : sourceName(address);
}

export const isTrustedProxy = (address: IpAddress, trusted: readonly IpNetwork[]): boolean =>
  trusted.some((network) => isInNetwork(address, network));

function sourceName(address: IpAddress): string {
  if (!isIpv4(address)) return `${(address >> 64n).toString(16)}::/64`;
  return [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 0xffn).join('.');
}
