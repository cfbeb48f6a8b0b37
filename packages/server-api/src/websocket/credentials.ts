import type { EpochMillis } from '@tandem/core';
import type { Authenticator } from '../auth/authenticator';
import type { Principal } from '../auth/principal';

/** What a session was opened with, to be looked at again. */
export interface Credentials {
  /** @throws TandemError UNAUTHORIZED, TOKEN_EXPIRED, STORE_UNAVAILABLE */
  check(): Promise<Principal>;
  /** Undefined for an API key: only looking again tells. */
  readonly expiresAt: EpochMillis | undefined;
}

const WITH_SCHEME = /^(Bearer|ApiKey) +/i;

/** @param given an access token, or an API key (server contract 10.1), also as it stands in a header, behind its scheme */
export function credentialsOf(authenticator: Authenticator, given: string): Credentials {
  const named = WITH_SCHEME.exec(given);
  const token = given.slice(named?.[0].length ?? 0);
  const isKey = named ? named[1]?.toLowerCase() === 'apikey' : expiryOf(token) === undefined;
  const header = { 'x-authorization': `${isKey ? 'ApiKey' : 'Bearer'} ${token}` };
  return { check: () => authenticator.authenticate(header), expiresAt: isKey ? undefined : expiryOf(token) };
}

/** Of a JSON Web Token, whether or not it is a valid one. */
function expiryOf(token: string): EpochMillis | undefined {
  const [, payload, signature] = token.split('.');
  if (payload === undefined || signature === undefined) return undefined;
  try {
    const { exp } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { exp?: unknown };
    return typeof exp === 'number' ? exp * 1_000 : 0;
  } catch {
    return 0;
  }
}

/** The token is everything behind `token=` (server contract 10.1); undefined where there is none. */
export function tokenInUrl(url: string): string | undefined {
  const at = /[?&]token=/.exec(url);
  if (!at) return undefined;
  const text = url.slice(at.index + at[0].length);
  if (text === '') return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
