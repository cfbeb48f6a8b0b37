/** Who is logged in. */
export interface User {
  readonly email: string;
  readonly authority: 'SYS_ADMIN' | 'TENANT_ADMIN' | 'CUSTOMER_USER';
  readonly customerId: { readonly id: string };
}

interface Tokens {
  readonly token: string;
  readonly refreshToken: string;
}

/** Of this tab alone, and gone with it (ADR 48). */
const KEPT_AS = 'tandem.session';

let tokens: Tokens | undefined = kept();
let refreshing: Promise<boolean> | undefined;
let ended: (why: string) => void = () => {};

function kept(): Tokens | undefined {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT_AS) ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
}

export const accessToken = (): string | undefined => tokens?.token;

export function startSession(given: Tokens): void {
  tokens = { token: given.token, refreshToken: given.refreshToken };
  sessionStorage.setItem(KEPT_AS, JSON.stringify(tokens));
}

/** @param listener is told why, in a sentence for the login page; empty when the user wanted it */
export function onSessionEnd(listener: (why: string) => void): void {
  ended = listener;
}

export function endSession(why = ''): void {
  if (!tokens) return;
  tokens = undefined;
  sessionStorage.removeItem(KEPT_AS);
  ended(why);
}

/**
 * New tokens for the refresh token; however many ask, it is used once. Ends the session when it is no longer good.
 * @param refused the access token that was: when another one is there by now that is all
 * @returns whether there is a good one now
 */
export function refreshSession(refused: string): Promise<boolean> {
  if (tokens && tokens.token !== refused) return Promise.resolve(true);
  refreshing ??= refresh().finally(() => {
    refreshing = undefined;
  });
  return refreshing;
}

async function refresh(): Promise<boolean> {
  if (!tokens) return false;
  const used = tokens;
  const response = await fetch('/api/auth/token', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ refreshToken: used.refreshToken }),
  }).catch(() => {
    throw new Error('The gateway cannot be reached.');
  });
  if (tokens !== used) return tokens !== undefined;
  if (response.ok) {
    startSession(await response.json());
    return true;
  }
  if (response.status === 401 || response.status === 403) endSession('Your session has ended. Log in again.');
  return false;
}
