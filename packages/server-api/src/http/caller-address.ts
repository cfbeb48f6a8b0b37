import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { type Callers, parseIpAddress } from '@tandem/core';

/**
 * Whom a request comes from. What proxies say of it is believed from those alone that are trusted: a header is easily
 * made up.
 */
export class CallerAddresses {
  constructor(private readonly callers: Callers) {}

  /**
   * In a form of which nobody has many: the address, of IPv6 the /64 network, which one customer line has.
   */
  of(request: IncomingMessage): string {
    const { remoteAddress } = request.socket;
    return this.callers.addressOf({ remoteAddress, forwardedFor: headerOf(request, 'x-forwarded-for') });
  }

  /** Scheme and host that the caller used, as far as the request tells. */
  originOf(request: IncomingMessage): string {
    const peer = parseIpAddress(request.socket.remoteAddress ?? '');
    const trusted = peer !== undefined && this.callers.isTrusted(peer);
    const said = trusted ? headerOf(request, 'x-forwarded-proto').split(',')[0]?.trim() : '';
    const own = request.socket instanceof TLSSocket ? 'https' : 'http';
    const scheme = said === 'https' || said === 'http' ? said : own;
    const host = (trusted ? headerOf(request, 'x-forwarded-host').split(',')[0]?.trim() : '') || request.headers.host;
    return `${scheme}://${host ?? 'localhost'}`;
  }
}

const headerOf = ({ headers }: IncomingMessage, name: string): string => String(headers[name] ?? '');
