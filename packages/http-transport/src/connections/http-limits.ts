import type { Core, Millis } from '@tandem/core';
import type { ConnectionLimits } from './connections';

/** Times and numbers that hold for everything that comes over HTTP. */
export interface HttpLimits extends ConnectionLimits {
  /** The line and all headers of a request: a client that takes longer holds a connection for nothing. */
  readonly headersTimeout: Millis;
  /**
   * An idle connection. Longer than the 60 s after which load balancers give up theirs, so that it is they who close and
   * no request meets a closing connection; and a device that reports every minute keeps its own.
   */
  readonly idleTimeout: Millis;
}

/** How long a body may take to begin, and to get up to its rate. */
const BODY_GRACE: Millis = 10_000;
/** How often connections are looked at, where their times are not shorter: 100,000 of them take some milliseconds. */
const CHECK_INTERVAL: Millis = 5_000;
/** Looks within the shortest time. */
const CHECKS = 4;

/** As the settings have them. */
export function httpLimits({ settings }: Pick<Core, 'settings'>): HttpLimits {
  const headersTimeout = settings.TANDEM_HTTP_HEADERS_TIMEOUT;
  const idleTimeout = settings.TANDEM_HTTP_IDLE_TIMEOUT;
  return {
    headersTimeout,
    idleTimeout,
    readTimeout: idleTimeout,
    bodyRate: { min: settings.TANDEM_HTTP_MIN_RATE, grace: BODY_GRACE },
    max: settings.TANDEM_HTTP_MAX_CONNECTIONS,
    maxPerAddress: settings.TANDEM_HTTP_MAX_CONNECTIONS_PER_ADDRESS,
    maxPipelined: settings.TANDEM_HTTP_MAX_PIPELINED,
    checkInterval: Math.ceil(Math.min(CHECK_INTERVAL, headersTimeout / CHECKS, idleTimeout / CHECKS)),
  };
}

/** For a server that is not set up by settings: as many connections as come. */
export const DEFAULT_LIMITS: HttpLimits = {
  headersTimeout: 20_000,
  idleTimeout: 65_000,
  readTimeout: 65_000,
  bodyRate: { min: 1_024, grace: BODY_GRACE },
  max: Number.POSITIVE_INFINITY,
  maxPerAddress: 0,
  maxPipelined: 64,
  checkInterval: CHECK_INTERVAL,
};
