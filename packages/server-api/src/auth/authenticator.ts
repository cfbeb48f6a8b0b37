import type { IncomingHttpHeaders } from 'node:http';
import { type Accounts, TandemError } from '@tandem/core';
import type { Principal } from './principal';
import type { Tokens } from './tokens';

const BEARER = /^Bearer ([^\s]+)$/i;

/** Bearer tokens in `X-Authorization`; in `Authorization` only where that is absent (server contract 1.1). */
export class Authenticator {
  constructor(
    private readonly tokens: Tokens,
    private readonly accounts: Accounts,
  ) {}

  /** @throws TandemError UNAUTHORIZED, also when the account is gone or disabled by now; TOKEN_EXPIRED */
  async authenticate(headers: IncomingHttpHeaders): Promise<Principal> {
    const own = headers['x-authorization'];
    const header = own === undefined ? headers.authorization : String(own);
    const token = BEARER.exec(header ?? '')?.[1];
    if (token === undefined) throw new TandemError('UNAUTHORIZED');
    return this.#principal(await this.tokens.readAccess(token));
  }

  /** @throws TandemError UNAUTHORIZED, TOKEN_EXPIRED */
  async authenticateRefresh(refreshToken: string): Promise<Principal> {
    return this.#principal(await this.tokens.readRefresh(refreshToken));
  }

  async #principal({ userId, sessionId }: { userId: string; sessionId: string }): Promise<Principal> {
    const user = await this.accounts.get(userId);
    if (!user?.enabled) throw new TandemError('UNAUTHORIZED');
    return { user, sessionId };
  }
}

/** Paths below `/api` that need no login (server contract 1.1); `/api/ws` authenticates by itself. */
export const isPublicPath = (path: string): boolean =>
  LOGIN_PATHS.has(path) || path === '/api/auth/login/public' || /^\/api\/(?:noauth|ws)(?:\/|$)/.test(path);

/** Where another method than POST is refused as an authentication (server contract 1.2). */
export const LOGIN_PATHS: ReadonlySet<string> = new Set(['/api/auth/login', '/api/auth/token']);
