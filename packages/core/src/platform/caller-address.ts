import type { Clock, Millis } from './clock';
import { type IpAddress, type IpNetwork, isInNetwork, isIpv4, parseIpAddress } from './ip-address';
import type { Logger } from './logger';
import { quietLogger } from './quiet-logger';
import { shownText } from './shown-text';

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
export function callerAddress(
  { remoteAddress, forwardedFor }: Caller,
  trusted: readonly IpNetwork[],
  /** Hears what a trusted proxy says that is no address. */
  onUnreadable: (text: string) => void = () => {},
): string {
  let address = parseIpAddress(remoteAddress ?? '');
  const forwarded = forwardedFor.split(',');
  // From the nearest on: each is what the one behind it, as far as that is trusted, has seen.
  while (address !== undefined && isTrustedProxy(address, trusted)) {
    const text = forwarded.pop()?.trim() ?? '';
    const before = parseIpAddress(withoutPort(text));
    if (before === undefined) {
      if (text !== '') onUnreadable(text);
      break;
    }
    address = before;
  }
  return address === undefined ? 'unknown' : sourceName(address);
}

/** How often the log says that a proxy cannot be understood. */
const SAID_EVERY: Millis = 600_000;

/** Whom requests come from, with the proxies that are trusted: `TANDEM_TRUSTED_PROXIES`. */
export class Callers {
  readonly #quiet: Logger;

  constructor(
    private readonly trusted: readonly IpNetwork[],
    clock: Clock,
    logger: Logger,
  ) {
    this.#quiet = quietLogger(logger, clock, SAID_EVERY);
  }

  /** As {@link callerAddress}. Where a proxy cannot be understood all who come through it are one, which the log says. */
  addressOf(caller: Caller): string {
    return callerAddress(caller, this.trusted, (text) =>
      this.#quiet.warn('a trusted proxy sends an X-Forwarded-For that is no address; all it forwards count as one', {
        proxy: caller.remoteAddress,
        forwardedFor: shownText(text),
      }),
    );
  }

  isTrusted(address: IpAddress): boolean {
    return isTrustedProxy(address, this.trusted);
  }
}

/** `1.2.3.4:80`, `[::1]:80` and `[::1]` as some proxies write them. */
function withoutPort(text: string): string {
  const [, six, four] = /^(?:\[([^\]]*)\]|([\d.]+))(?::\d{1,5})?$/.exec(text) ?? [];
  return six ?? four ?? text;
}

const isTrustedProxy = (address: IpAddress, trusted: readonly IpNetwork[]): boolean =>
  trusted.some((network) => isInNetwork(address, network));

function sourceName(address: IpAddress): string {
  if (!isIpv4(address)) return `${(address >> 64n).toString(16)}::/64`;
  return [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 0xffn).join('.');
}
