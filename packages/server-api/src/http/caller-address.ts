import type { IncomingMessage } from 'node:http';
import { type IpAddress, type IpNetwork, isInNetwork, isIpv4, parseIpAddress } from '@tandem/core';

/**
 * Whom a request comes from. What proxies say of it is believed from those alone that are trusted: a header is easily
 * made up.
 */
export class CallerAddresses {
  constructor(private readonly trusted: readonly IpNetwork[]) {}

  /**
   * In a form of which nobody has many: the address, of IPv6 the /64 network, which one customer line has.
   */
  of(request: IncomingMessage): string {
    let address = parseIpAddress(request.socket.remoteAddress ?? '');
    const forwarded = headerOf(request, 'x-forwarded-for').split(',');
    // From the nearest on: each is what the one behind it, as far as that is trusted, has seen.
    while (address !== undefined && this.#isTrusted(address)) {
      const before = parseIpAddress(forwarded.pop()?.trim() ?? '');
      if (before === undefined) break;
      address = before;
    }
    return address === undefined ? 'unknown' : nameOf(address);
  }

  /** Scheme and host that the caller used, as far as the request tells. */
  originOf(request: IncomingMessage): string {
    const peer = parseIpAddress(request.socket.remoteAddress ?? '');
    const trusted = peer !== undefined && this.#isTrusted(peer);
    const said = trusted ? headerOf(request, 'x-forwarded-proto').split(',')[0]?.trim() : '';
    const scheme = said === 'https' || said === 'http' ? said : 'http';
    const host = (trusted ? headerOf(request, 'x-forwarded-host').split(',')[0]?.trim() : '') || request.headers.host;
    return `${scheme}://${host ?? 'localhost'}`;
  }

  #isTrusted(address: IpAddress): boolean {
    return this.trusted.some((network) => isInNetwork(address, network));
  }
}

const headerOf = ({ headers }: IncomingMessage, name: string): string => String(headers[name] ?? '');

function nameOf(address: IpAddress): string {
  if (!isIpv4(address)) return `${(address >> 64n).toString(16)}::/64`;
  return [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 0xffn).join('.');
}
