import type { RedisAddress } from '@tandem/core';
import { type Node, nameOf } from './probe';

/** Redis is there, or will be, but cannot be used yet; the message is a reason as `reasonOf` gives it. */
export class NotYetError extends Error {}

const REFUSED_LOGIN = 'refuses the user name or the password';
const NO_LOGIN = 'wants a password';
const NEEDLESS_LOGIN = 'wants no password, but one is given';

const REASONS: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/ECONNREFUSED/, 'refuses the connection: is Redis running there?'],
  [/ENOTFOUND|EAI_AGAIN/, 'is not known: the host name does not resolve'],
  [/EHOSTUNREACH|ENETUNREACH/, 'cannot be reached: there is no way to that network'],
  [/ETIMEDOUT/, 'does not answer the attempt to connect'],
  [/Command timed out/, 'accepts the connection but does not answer'],
  [/^WRONGPASS|invalid (username|password)/i, REFUSED_LOGIN],
  [/^NOAUTH/, NO_LOGIN],
  [/^ERR AUTH|without any password configured/, NEEDLESS_LOGIN],
  [/^NOPERM/, 'does not let this user look at it: INFO and CLUSTER have to be allowed'],
  [/max number of clients/, 'has as many clients as it takes'],
  [/DENIED/, 'is in protected mode: it wants a password to be set, or to be reached from its own machine'],
  [/WRONG_VERSION_NUMBER|wrong version number|packet length too long|SSL3|TLSV1|EPROTO/i, 'does not speak TLS'],
  [/ERR_TLS_CERT_ALTNAME|does not match certificate/, 'has a certificate for another host name'],
  [/CERT_HAS_EXPIRED|certificate has expired/i, 'has a certificate that has expired'],
  [/self.signed|unable to (get|verify)|UNABLE_TO/i, 'has a certificate nobody trusts here: see NODE_EXTRA_CA_CERTS'],
  [/Protocol error|RESP type/, 'does not speak as Redis does'],
];

/** Of a reason that `onWaiting` hears: whether it stays until somebody changes the password, here or there. */
export const isOfLogin = (reason: string): boolean =>
  [REFUSED_LOGIN, NO_LOGIN, NEEDLESS_LOGIN].some((text) => reason.includes(` ${text} (`));

/** Why a server cannot be used, in one sentence that names it. Never has a secret in it. */
export function reasonOf(error: unknown, node: Node, { tls }: RedisAddress): string {
  if (error instanceof NotYetError) return error.message;
  const text = error instanceof Error ? `${codeOf(error)}${error.message}` : String(error);
  const known = REASONS.find(([pattern]) => pattern.test(text));
  // A Redis without TLS takes the greeting for the beginning of a command, and waits for its end.
  if (tls && /connect ETIMEDOUT/.test(text)) return `${nameOf(node)} does not answer: does it speak TLS? (REDIS_URL)`;
  if (known) return `${nameOf(node)} ${known[1]} (REDIS_URL)`;
  if (/Connection is closed|ECONNRESET|EPIPE|Command aborted|disconnected/i.test(text)) {
    return `${nameOf(node)} closes the connection: does it speak ${tls ? 'TLS' : 'TLS only (rediss://)'}? (REDIS_URL)`;
  }
  return `${nameOf(node)}: ${text} (REDIS_URL)`;
}

function codeOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined || error.message.includes(code) ? '' : `${code} `;
}
